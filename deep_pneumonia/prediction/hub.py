"""Checkpoints on the Hugging Face Hub: a checkpoint folder is a model repository as it lies.

The environment variables of huggingface_hub hold here too: HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    HFValidationError,
    HTTPError,  # of the transport, which differs between versions of huggingface_hub
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from deep_pneumonia.errors import ForeignCheckpointError, HubError
from deep_pneumonia.files import whole
from deep_pneumonia.prediction.checkpoint import GATE, METRICS, README, WEIGHTS, Checkpoint, save
from deep_pneumonia.prediction.checkpoint_facts import MODEL, read_facts

OPTIONAL = (GATE, METRICS, README)
FILES = (MODEL, WEIGHTS, *OPTIONAL)


def download(name: str, revision: str | None = None) -> Path:
    """The folder, in the cache of huggingface_hub, with the files of the checkpoint in the repository "owner/name".

    Nothing but the files of a checkpoint is downloaded, and no weights before model.json is known to be one's.

    Raises:
        HubError: the Hub has no such repository or revision, or it cannot be reached.
        ForeignCheckpointError: the repository is no checkpoint of this package.
        NewerCheckpointError: it was written by a later version of this package.
    """
    api = _api()
    with _named_errors(name, revision):
        folder = Path(api.hf_hub_download(name, MODEL, revision=revision)).parent
    read_facts(folder)
    commit = folder.name  # the branch may move while the other files are fetched
    with _named_errors(name, revision):
        api.hf_hub_download(name, WEIGHTS, revision=commit)
        for file in OPTIONAL:
            with suppress(EntryNotFoundError):
                api.hf_hub_download(name, file, revision=commit)
    return folder


def save_into(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the files of a checkpoint into a folder, new or not; other files in it stay.

    Raises:
        DeepPneumoniaError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        made = Path(temporary) / (checkpoint.name or folder.resolve().name)
        save(checkpoint, made)
        for file in FILES:
            if (made / file).is_file():
                with whole(folder / file) as path:
                    shutil.copyfile(made / file, path)
            else:
                (folder / file).unlink(missing_ok=True)


def push(checkpoint: Checkpoint, name: str, *, private: bool | None, revision: str | None, message: str) -> str:
    """Upload a checkpoint to the repository "owner/name", which is created if it is missing.

    Returns:
        The URL of the commit.

    Raises:
        HubError: the Hub refuses, or cannot be reached.
    """
    api = _api()
    with TemporaryDirectory() as temporary, _named_errors(name, revision):
        folder = Path(temporary) / (checkpoint.name or name.split("/")[-1])
        save(checkpoint, folder)
        api.create_repo(name, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=name, folder_path=folder, commit_message=message, revision=revision, allow_patterns=list(FILES)
        )
    return commit.commit_url


def _api() -> HfApi:
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


@contextmanager
def _named_errors(name: str, revision: str | None) -> Iterator[None]:
    """Turn what huggingface_hub raises into the errors of this package, in one line."""
    at = f"{name} at {revision}" if revision else name
    try:
        yield
    except RepositoryNotFoundError as error:
        raise HubError(
            f"There is neither a folder nor a Hub repository {name}, or it is private; check the name, or log in with "
            "`hf auth login`."
        ) from error
    except RevisionNotFoundError as error:
        raise HubError(
            f"The Hub repository {name} has no revision {revision}; give a branch, tag or commit."
        ) from error
    except LocalEntryNotFoundError as error:
        raise HubError(f"The Hub cannot be reached, and {at} was not downloaded before; check the network.") from error
    except EntryNotFoundError as error:
        raise ForeignCheckpointError(
            f"The Hub repository {at} lacks a file of a checkpoint; give one that this package wrote, with "
            f"{MODEL} and {WEIGHTS}."
        ) from error
    except HFValidationError as error:
        raise HubError(f"There is no folder {name}, nor is it a Hub repository's name, such as owner/name.") from error
    except (HTTPError, OSError, ValueError, RuntimeError) as error:  # RuntimeError: an upload that broke off
        reason = str(error).strip().split("\n")[0]
        raise HubError(
            f"The Hub did not do what was asked of {at} ({reason}); check the network and the token."
        ) from error
