"""Which names a viewer answers to, and whom it believes where a request came from."""

import pytest

from deep_pneumonia.viewer.guard.addresses import addresses_for, host_name, network_of, same_origin

SPACE = {"SPACE_ID": "me/x", "SPACE_HOST": "me-x.hf.space,x.example.org"}


@pytest.mark.parametrize(
    ("listened_at", "allowed", "environment", "yes", "no"),
    [
        ("127.0.0.1", [], {}, ["localhost:1", "127.0.0.1", "[::1]:8"], ["10.0.0.1", "example.org", "x.localhost"]),
        ("10.0.0.5", [], {}, ["10.0.0.5:7860", "localhost"], ["10.0.0.6", "10.0.0.5.example.org"]),
        ("0.0.0.0", [], {}, ["10.0.0.6", "[fe80::1]:7860", "192.168.1.2:80"], ["example.org", "0x7f.1.example"]),
        ("127.0.0.1", ["Ward.example.org"], {}, ["ward.example.org", "WARD.EXAMPLE.ORG:443"], ["example.org"]),
        ("127.0.0.1", ["*.example.org"], {}, ["a.example.org", "a.b.example.org"], ["example.org", "aexample.org"]),
        ("127.0.0.1", ["*"], {}, ["anything"], ["", "["]),
        ("0.0.0.0", [], SPACE, ["me-x.hf.space", "x.example.org"], ["you-x.hf.space", "hf.space"]),
    ],
)
def test_the_names_of_a_viewer(
    listened_at: str, allowed: list[str], environment: dict[str, str], yes: list[str], no: list[str]
) -> None:
    addresses = addresses_for(listened_at, allowed, environment=environment)
    assert [host for host in yes if not addresses.allows_host(host)] == []
    assert [host for host in no if addresses.allows_host(host)] == []


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://a.org", "a.org", True),
        ("http://a.org", "a.org:80", True),
        ("https://a.org", "a.org:443", True),
        ("https://a.org", "a.org", True),
        ("http://A.org:7860", "a.org:7860", True),
        ("http://[::1]:7860", "[::1]:7860", True),
        ("http://a.org", "a.org:7860", False),
        ("http://a.org:1", "a.org:2", False),
        ("http://b.org", "a.org", False),
        ("null", "a.org", False),
        ("", "a.org", False),
        ("file://a.org", "a.org", False),
        ("http://a.org:x", "a.org", False),
    ],
)
def test_origins_are_compared_with_their_ports(origin: str, host: str, same: bool) -> None:
    assert same_origin(origin, host) is same


def test_a_declared_proxy_alone_says_where_a_request_came_from() -> None:
    none = addresses_for("127.0.0.1")
    assert not none.trusts("127.0.0.1")
    assert none.visitor("127.0.0.1", "6.6.6.6") == "127.0.0.1"
    one = addresses_for("127.0.0.1", proxies=["127.0.0.1", "10.0.0.0/8"])
    assert one.trusts("10.2.3.4")
    assert not one.trusts("11.2.3.4")
    assert not one.trusts("unix")
    assert one.visitor("127.0.0.1", "6.6.6.6, 7.7.7.7, 10.0.0.9") == "7.7.7.7", "what a visitor claims comes first"
    assert one.visitor("127.0.0.1", "") == "127.0.0.1"
    assert one.visitor("9.9.9.9", "6.6.6.6") == "9.9.9.9"
    assert addresses_for("0.0.0.0", environment=SPACE).visitor("10.1.1.1", "6.6.6.6, x") == "6.6.6.6"
    with pytest.raises(ValueError, match=r"^proxy"):
        addresses_for("127.0.0.1", proxies=["proxy.example"])


def test_visitors_are_counted_by_address_or_network() -> None:
    assert network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"
    assert network_of("") == ""
    assert host_name("::1") == "::1"
