"""Which names the viewer answers to, which pages may call it, and where a request really came from.

A page of another site reaches a viewer in two ways: it sends requests to the viewer's own address, which the browser
marks with the foreign `Origin`, or it has its own name resolve to the viewer (DNS rebinding), which shows in `Host`.
"""

import ipaddress
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
ANY_ADDRESS = ("0.0.0.0", "::", "[::]")  # noqa: S104 (compared with what the user asked for)
DEFAULT_PORTS = {"http": 80, "https": 443}
ALL = "*"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Addresses:
    """What a viewer accepts.

    hosts: names in `Host`, in lower case, `*.example.org` for all names below one and `*` for every name. any_ip:
    whether every IP address is a name too; rebinding needs a name, so an address is safe. proxies: networks whose
    forwarding headers are believed. any_proxy: whether those of every peer are.
    """

    hosts: frozenset[str]
    any_ip: bool = False
    proxies: tuple[Network, ...] = ()
    any_proxy: bool = False

    def allows_host(self, host: str) -> bool:
        """Whether the viewer answers to this `Host` header, whatever its port."""
        name = host_name(host)
        if not name:
            return False
        if ALL in self.hosts or name in self.hosts or (self.any_ip and _is_ip(name)):
            return True
        return any(own.startswith("*.") and name.endswith(own[1:]) for own in self.hosts)

    def trusts(self, peer: str) -> bool:
        """Whether the forwarding headers of this peer are believed."""
        if self.any_proxy:
            return True
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.proxies)

    def visitor(self, peer: str, forwarded_for: str) -> str:
        """The address of the visitor: the last one in `X-Forwarded-For` that is no proxy; `peer` without the header."""
        if not self.trusts(peer):
            return peer
        given = [part.strip() for part in forwarded_for.split(",") if _is_ip(part.strip())]
        if self.any_proxy:
            return given[0] if given else peer
        return next((address for address in reversed(given) if not self.trusts(address)), peer)


def addresses_for(
    listened_at: str,
    allowed_hosts: Iterable[str] = (),
    proxies: Iterable[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Addresses:
    """What a viewer accepts that listens at this name or address.

    Without `allowed_hosts` it answers to what it listens at and to this machine's own names. On Hugging Face Spaces it
    also answers to the Space's host, and believes the proxy, which alone can reach it there.

    Raises:
        ValueError: a proxy is not an IP address or network; the text names it.
    """
    any_ip = listened_at in ANY_ADDRESS
    names = {*LOCAL_NAMES, host_name(listened_at)} - {"", *ANY_ADDRESS}
    if any_ip:
        names.add(socket.gethostname().lower())
    names |= {name.strip().lower().strip("[]") for name in allowed_hosts if name.strip()}
    if on_spaces(environment):
        names |= {name.strip().lower() for name in environment.get("SPACE_HOST", "").split(",") if name.strip()}
    given = [proxy.strip() for proxy in proxies if proxy.strip()]
    networks = tuple(_network(proxy) for proxy in given if proxy != ALL)
    return Addresses(frozenset(names), any_ip, networks, ALL in given or on_spaces(environment))


def on_spaces(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a Hugging Face Space."""
    return bool(environment.get("SPACE_ID"))


def host_name(host: str) -> str:
    """The name in a `Host` header or an address, in lower case and without its port; "" for what is neither."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if "]" in host or host.count(":") < 2 else host.lower()
    except ValueError:
        return ""


def same_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` header names the host and port that were asked; the scheme is not compared.

    A proxy may speak HTTPS to the browser and HTTP to the viewer, so only the port's default follows the scheme.
    """
    try:
        page, own = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS[page.scheme]
        return bool(page.hostname) and (page.hostname, page.port or default) == (own.hostname, own.port or default)
    except (KeyError, ValueError):
        return False


def network_of(address: str) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 that an IPv6 address lies in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _network(proxy: str) -> Network:
    try:
        return ipaddress.ip_network(proxy, strict=False)
    except ValueError:
        raise ValueError(proxy) from None
