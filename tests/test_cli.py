"""Command lines: help that tells every default, options that mean what they say, errors in one line."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import app
from deep_pneumonia import evaluate, predict, prepare, pretrain, train
from deep_pneumonia.cli import add_data_options, config_from, guarded, option, parser_for
from deep_pneumonia.errors import DeepPneumoniaError, ManifestError
from deep_pneumonia.files import whole
from deep_pneumonia.training.contrast import PretrainConfig
from deep_pneumonia.training.guided import TrainConfig

Main = Callable[[Sequence[str]], int]
Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Options:
    """Options of a verb that does not exist."""

    kind: str = option("thick", "kind of slice", ("thick", "thin"))
    peak_rate: float = option(0.5, "highest rate")
    rounds: int = option(3, "times")
    careful: bool = option(True, "look twice")
    loud: bool = option(False, "say more")


def parsed(*words: str) -> Options:
    return config_from(Options, parser_for(Options, None, "verb").parse_args(words))


def ended(main: Main, words: Sequence[str], capsys: Capture) -> tuple[object, str, str]:
    """Exit status, stdout and stderr of a command that argparse ends."""
    with pytest.raises(SystemExit) as end:
        main(words)
    return end.value.code, *capsys.readouterr()


def entries(text: str) -> dict[str, str]:
    """What --help says of each option, by its first name."""
    parts = [" ".join(part.split()) for part in re.split(r"\n  (?=-)", text)[1:]]
    return {re.split("[ ,]", part)[0]: part for part in parts}


@pytest.mark.parametrize(("main", "config"), [(pretrain.main, PretrainConfig), (train.main, TrainConfig)])
def test_help_tells_every_option_with_its_default(main: Main, config: type, capsys: Capture) -> None:
    status, text, _ = ended(main, ["--help"], capsys)
    assert status == 0
    told = entries(text)
    for field in dataclasses.fields(config):
        entry = told["--" + field.name.replace("_", "-")]
        shown = "" if field.default == "" else f" (default: {field.default})"
        assert entry.endswith(f"{field.metadata['help']}{shown}")
        for choice in field.metadata["choices"] or ():
            assert choice in entry
    assert {"--manifest", "--out", "--cache"} <= told.keys()
    assert "None" not in text


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (prepare.main, ["nih", "kermany", "covid", "folder"]),
        (evaluate.main, ["--checkpoint", "--manifest", "--split {train,val,test,all}", "(default: test)", "--out"]),
        (predict.main, ["FILE", "--mask", "--fit", "--checkpoint", "--json", "--report", "--attention OUT.npy"]),
        (app.main, ["--checkpoint", "--device {auto,cpu,cuda}", "(default: auto)"]),
    ],
)
def test_every_verb_explains_itself(main: Main, words: list[str], capsys: Capture) -> None:
    status, text, errors = ended(main, ["--help"], capsys)
    assert (status, errors) == (0, "")
    for word in words:
        assert word in " ".join(text.split())


@pytest.mark.parametrize("config", [Options, PretrainConfig, TrainConfig])
def test_no_option_given_is_the_configuration_as_written(config: type) -> None:
    assert config_from(config, parser_for(config, None, "verb").parse_args([])) == config()


def test_options_fill_the_configuration_with_their_types() -> None:
    words = ["--kind", "thin", "--peak-rate", "1e-3", "--rounds", "7", "--no-careful", "--loud"]
    assert parsed(*words) == Options("thin", 0.001, 7, False, True)
    assert isinstance(parsed("--rounds", "7").rounds, int)
    assert isinstance(parsed("--peak-rate", "1").peak_rate, float)


def test_switches_go_both_ways() -> None:
    assert (parsed("--no-careful").careful, parsed("--careful").careful) == (False, True)
    assert (parsed("--no-loud").loud, parsed("--loud").loud) == (False, True)
    assert TrainConfig().class_balance
    arguments = parser_for(TrainConfig, None, "train").parse_args(["--no-class-balance"])
    assert config_from(TrainConfig, arguments) == TrainConfig(class_balance=False)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--kind", "wide"], "invalid choice: 'wide'"),
        (["--rounds", "2.5"], "invalid int value: '2.5'"),
        (["--peak-rate", "fast"], "invalid float value: 'fast'"),
        (["--careful", "yes"], "unrecognized arguments: yes"),
        (["--peak_rate", "1"], "unrecognized arguments: --peak_rate"),
    ],
)
def test_a_wrong_option_is_status_2(words: list[str], complaint: str, capsys: Capture) -> None:
    status, output, errors = ended(lambda w: bool(parsed(*w)), words, capsys)
    assert (status, output) == (2, "")
    assert complaint in errors


@pytest.mark.parametrize(
    ("main", "words", "complaint"),
    [
        (prepare.main, ["elsewhere", "raw"], "invalid choice: 'elsewhere'"),
        (pretrain.main, ["--method", "byol"], "invalid choice: 'byol'"),
        (train.main, [], "required: --manifest, --out"),
        (evaluate.main, ["--split", "best"], "invalid choice: 'best'"),
        (predict.main, [], "required: FILE"),
        (app.main, ["--device", "tpu"], "invalid choice: 'tpu'"),
    ],
)
def test_every_verb_ends_with_2_for_a_wrong_choice(
    main: Main, words: list[str], complaint: str, capsys: Capture
) -> None:
    status, _, errors = ended(main, words, capsys)
    assert status == 2
    assert complaint in errors


def test_manifests_may_be_repeated() -> None:
    parser = parser_for(Options, "what it does", "verb")
    add_data_options(parser)
    arguments = parser.parse_args(["--manifest", "a.csv", "--manifest", "b.csv", "--out", "o", "--rounds", "1"])
    assert (arguments.manifest, arguments.out, arguments.cache) == (["a.csv", "b.csv"], "o", None)
    assert config_from(Options, arguments) == Options(rounds=1)


def raising(error: BaseException) -> Callable[[], None]:
    def verb() -> None:
        raise error

    return verb


@pytest.mark.parametrize("kind", [DeepPneumoniaError, ManifestError])
def test_a_named_error_is_one_line_and_status_2(kind: type[DeepPneumoniaError], capsys: Capture) -> None:
    assert guarded(raising(kind("a.csv is missing; make it."))) == 2
    assert capsys.readouterr() == ("", "error: a.csv is missing; make it.\n")


def test_an_interrupt_is_no_error_and_anything_else_is_not_hidden(capsys: Capture) -> None:
    assert guarded(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == (
        "",
        "Stopped; the same command resumes a training run, a simulated set or a prediction of a work list.\n",
    )
    with pytest.raises(ZeroDivisionError, match="a bug"):
        guarded(raising(ZeroDivisionError("a bug")))


def test_success_is_0_and_silent(capsys: Capture) -> None:
    done: list[int] = []
    assert guarded(lambda: done.append(1)) == 0
    assert done == [1]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("main", [app.main, lambda words: predict.main(["chest.png", *words])])
def test_a_missing_file_is_one_line_and_status_2(main: Main, tmp_path: Path, capsys: Capture) -> None:
    assert main(["--checkpoint", str(tmp_path / "nowhere")]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert re.fullmatch(r"error: .*(nowhere|chest\.png).*\n", errors)


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (train.main, ["--epochs", "0"]),
        (train.main, ["--lr", "-1"]),
        (train.main, ["--beta", "1.5"]),
        (train.main, ["--hard-probability", "nan"]),
        (pretrain.main, ["--batch", "1"]),
        (pretrain.main, ["--temperature", "0"]),
    ],
)
def test_a_number_that_means_nothing_is_refused_before_the_run(main: Main, words: list[str], capsys: Capture) -> None:
    status, _, error = ended(main, ["--manifest", "m.csv", "--out", "o", *words], capsys)
    assert status == 2
    assert f"argument {words[0]}: {words[1]} is out of range, expected" in error
    assert "inf" not in error


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").touch()
    assert guarded(lambda: (tmp_path / "file").mkdir()) == 2
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(DeepPneumoniaError, match="give the name of a file"), whole("."):
        pass


@pytest.mark.parametrize("port", ["abc", "-1", "70000"])
def test_a_port_that_is_none_is_refused(port: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    assert app.main([]) == 2
    assert capsys.readouterr().err == f"error: GRADIO_SERVER_PORT is {port!r}; give a number from 1 to 65535.\n"
