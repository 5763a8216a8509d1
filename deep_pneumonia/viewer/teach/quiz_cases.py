"""The cases of a quiz, their possible answers, and which answer is right."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.datasets.manifest import MaskRef
from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.errors import CasesError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.viewer.review.workspaces import Workspaces

# If some labels are not classes of the checkpoint, learners choose between normal and this.
ILL = "Pneumonia"
ID_DIGITS = 12  # of the SHA-256; a folder's name would give the diagnosis away


@dataclass(frozen=True)
class QuizCase:
    """One radiograph of a quiz with what is known about it.

    id: the first 12 hex digits of the SHA-256 of the radiograph's file, as in a teacher's link. label: "" if unknown.
    difficulty: such as "easy", "" if unknown. masks: of the doctors, empty if nobody drew.
    """

    id: str
    image: Path
    label: str
    difficulty: str = ""
    masks: tuple[MaskRef, ...] = ()
    title: str = ""
    findings: str = ""
    teaching_point: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is a truth that an answer can be compared with."""
        return bool(self.label or self.masks)

    def annotations(self, size: tuple[int, int]) -> list[Annotation]:
        """Every doctor's mask for the radiograph of `size` (H, W).

        Raises:
            AnnotationError: a mask file is missing, damaged or of another size.
        """
        return [m.annotation(size) for m in self.masks]


Decks = Callable[[str], Sequence[QuizCase]]


def of_workspaces(workspaces: Workspaces) -> Decks:
    """A function from a page's token to the cases of its open workspace, without the teaching cases."""
    teaching = {case.sha256 for case in workspaces.cases}

    def cases(token: str) -> list[QuizCase]:
        work_list = workspaces.existing(token)
        items = work_list.workspace.items() if work_list else []
        return [
            QuizCase(i.key[:ID_DIGITS], i.case.image, i.case.label, masks=i.case.masks)
            for i in items
            if i.key not in teaching
        ]

    return cases


@dataclass(frozen=True)
class Deck:
    """Cases with the same possible `answers`, of which `normal` means not ill."""

    key: str
    name: str
    cases: tuple[QuizCase, ...]
    answers: tuple[str, ...]
    normal: str

    def case(self, key: str) -> QuizCase | None:
        """The case with this id, or None."""
        return next((case for case in self.cases if case.id == key), None)

    def is_right(self, answer: str, case: QuizCase, ill: bool) -> bool:
        """Whether an answer is right: compared with the label if it can be chosen, else by normal or not."""
        return answer == case.label if case.label in self.answers else (answer != self.normal) == ill

    def answer_of(self, probabilities: dict[str, float]) -> tuple[str, float]:
        """The model's class probabilities as one of the answers, with its probability in [0, 1]."""
        if set(self.answers) != set(probabilities):
            normal = probabilities[self.normal]
            return (self.normal, normal) if normal >= 0.5 else (self.answers[-1], 1 - normal)
        return max(probabilities.items(), key=lambda item: item[1])


def deck(key: str, name: str, cases: Iterable[QuizCase], classes: Sequence[str], normal: str) -> Deck:
    """A deck of the `cases` whose truth is known. Learners choose among `classes` if every label is one of them.

    The answers are the same for the whole deck, so that they tell nothing about a single case.
    """
    known = tuple(case for case in cases if case.is_known)
    named = all(case.label in classes for case in known if case.label)
    return Deck(key, name, known, tuple(classes) if named else (normal, ILL), normal)


def taught(cases: Iterable[TeachingCase]) -> list[QuizCase]:
    """Teaching cases as cases of a quiz."""
    return [
        QuizCase(
            c.sha256[:ID_DIGITS], c.image, c.label, c.difficulty,
            c.masks, c.title, c.findings, c.teaching_point,
        )
        for c in cases
    ]  # fmt: skip


def find(decks: Sequence[Deck], key: object) -> tuple[Deck, QuizCase]:
    """The deck and the case with this id.

    Raises:
        CasesError: the case is in no deck.
    """
    for one in decks:
        if case := one.case(str(key)):
            return one, case
    raise CasesError(
        f"The case {str(key)[:40]} is not here; a case of a workspace opens only on its own server, while that "
        "workspace is open."
    )
