"""The Quiz screen: whole quizzes, from the question that tells nothing to the score and its calibration."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from tests.browser.screen import DESKTOP, PHONE, Screen

Open = Callable[..., Screen]
CASES = {case.id: case for case in load_cases(shipped.CASES)}
ASKED = [CASES[name] for name in ("right-upper-lobe", "normal-standing", "round-right")]
LINK = f"quiz?cases={','.join(case.sha256[:12] for case in ASKED)},zzz&seed=1"
NO_TRACE = ("Lobar", "Round pneumonia", "Nothing ill", "Truth", "Simulated", "fissure", '"counts"', ".png")
# Keep a copy of all that the server tells the page, streams too.
RECORD = """() => {
  window.told = [];
  const fetched = window.fetch;
  window.fetch = async (...given) => {
    const response = await fetched(...given);
    const reader = response.clone().body?.pipeThrough(new TextDecoderStream()).getReader();
    const read = async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) window.told.push(part.value);
    };
    if (reader) read().catch(() => {});
    return response;
  };
}"""


class Quiz:
    """A screen of the quiz as a learner uses it."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.page = screen, screen.page

    def go(self, to: str) -> None:
        self.page.evaluate("(to) => { location.hash = to; }", to)

    def asks(self, number: int, total: int = 3) -> None:
        """Wait for the question, and for its radiograph on the stage."""
        expect(self.page.locator(".quiz h3")).to_contain_text(f"Case {number} of {total}")
        expect(self.page.get_by_role("button", name="Reveal")).to_be_enabled()
        self.screen.shows_on_stage(f"Case {number} of {total}")

    def case(self) -> Any:
        """The case on the stage."""
        asked = self.screen.stage("scene.case")
        return next(case for case in CASES.values() if case.sha256.startswith(asked))

    def choose(self, answer: str, confidence: str) -> None:
        self.page.locator(".quiz-answer label", has_text=answer).click()
        self.page.locator(".quiz-confidence label", has_text=confidence).click()

    def drawn(self) -> int:
        """How many pixels the learner's mark has."""
        script = "window.deepPneumonia.stage.layers.at(-1).mask.reduce((a, b) => a + b, 0)"
        return int(self.page.evaluate(script))

    def revealed(self) -> None:
        expect(self.page.locator(".quiz-verdict")).to_be_visible()
        self.page.wait_for_function("window.deepPneumonia.stage.scene.masks.length")
        self.screen.settled()

    def row(self, name: str) -> list[str]:
        """The learner's and the model's cell in the table of the score."""
        return self.page.locator(".quiz-score tr", has_text=name).locator("td").all_inner_texts()

    def kept(self) -> dict[str, Any]:
        lists = json.loads(self.page.evaluate("localStorage.getItem('deep-pneumonia/quiz')"))["lists"]
        return dict(next(one for one in lists.values() if one))


@pytest.fixture
def quiz(opened: Open) -> Quiz:
    """The quiz, opened from the Inspect screen, so that what is recorded afterwards is the quiz's own."""
    return Quiz(opened("inspect"))


def test_a_whole_quiz_is_scored_and_leaves_the_opened_case_alone(quiz: Quiz) -> None:
    page, screen = quiz.page, quiz.screen
    inspected = screen.stage("scene.name")
    page.evaluate(RECORD)
    quiz.go(LINK)
    quiz.asks(1)
    expect(page.locator(".quiz-unknown")).to_contain_text("left out: zzz")
    assert screen.stage("layers.length") == 1
    assert screen.stage("map") is None
    right, normal = 0, 0
    for number in (1, 2, 3):
        quiz.asks(number)
        case, before = quiz.case(), len(screen.requests)
        ill = case.label != "Normal"
        if ill:
            screen.drag((300, 300), (400, 420), (300, 500))
            page.wait_for_timeout(600)
            assert quiz.drawn() > 1000
            assert len(screen.requests) == before  # a stroke is nobody's business yet
            expect(page.get_by_label("There is nothing to draw")).to_be_disabled()
        else:
            page.get_by_label("There is nothing to draw").check()
        if number == 1:
            told = page.evaluate("window.told.join('')")
            assert "Case 1 of 3" in told
            assert [word for word in NO_TRACE if word in told] == []
        quiz.choose("Pneumonia" if number < 3 else "Clear", "90%")
        right += ill == (number < 3)
        normal += not ill
        page.get_by_role("button", name="Reveal").click()
        quiz.revealed()
        expect(page.locator(".quiz-verdict")).to_contain_text(case.label)
        expect(page.locator(".quiz-result")).to_contain_text(case.teaching_point)
        assert screen.stage("layers.length") == len(case.masks) + ill
        assert page.evaluate("window.deepPneumonia.stage.draws") is False
        drawn = quiz.drawn()
        screen.drag((500, 500), (560, 560))
        assert quiz.drawn() == drawn
        assert quiz.row("Class right")[0].endswith(f"of {number}")
        page.locator(".quiz-main").click()
    expect(page.locator(".quiz h3")).to_contain_text("All 3 cases are answered")
    assert quiz.row("Class right")[0] == f"{right} of 3"
    assert quiz.row("Normal cases left unmarked")[0] == f"{normal} of {normal}"
    assert float(quiz.row("Brier score")[0]) == pytest.approx((right * 0.01 + (3 - right) * 0.81) / 3, abs=0.006)
    expect(page.locator(".quiz-plot circle")).to_have_count(1)  # all were said with the same confidence
    expect(page.locator(".quiz-plot text.quiz-you")).to_have_text("3")
    assert f"{round(100 * right / 3)}% of 3 right" in (page.locator(".quiz-plot").get_attribute("aria-label") or "")
    assert len(quiz.kept()) == 3
    quiz.go("inspect")
    screen.shows_on_stage(inspected)
    assert page.evaluate("window.deepPneumonia.drawings().every((d) => d.reader !== 'Your mark')")
    assert inspected in page.evaluate("sessionStorage.getItem('deep-pneumonia/last')")
    page.reload()
    screen.ready()
    assert screen.stage("scene.name") == inspected
    quiz.go(LINK)
    expect(page.locator(".quiz h3")).to_contain_text("All 3 cases are answered")
    page.get_by_role("button", name="Start over").click()
    quiz.asks(1)
    assert quiz.drawn() == 0
    expect(page.locator(".quiz-plot")).to_have_count(0)


def test_keys_answer_reveal_and_go_on(quiz: Quiz) -> None:
    page, screen = quiz.page, quiz.screen
    quiz.go(LINK)
    quiz.asks(1)
    page.keyboard.press("Enter")
    expect(page.locator(".quiz-hint")).to_contain_text("Still to do: draw where the lesion is")
    page.keyboard.press("p")
    for corner in ((300, 300), (400, 300), (350, 420)):
        page.mouse.click(*screen.at(*corner))
    page.keyboard.press("Enter")  # closes the polygon, and no more
    assert quiz.drawn() > 1000
    page.keyboard.press("Control+z")
    assert quiz.drawn() == 0
    page.get_by_label("There is nothing to draw").press(" ")
    page.get_by_role("radio", name="Clear").press(" ")
    page.get_by_role("radio", name="50% a guess").press(" ")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="60%")).to_be_checked()
    page.keyboard.press("Enter")
    quiz.revealed()
    expect(page.locator(".quiz-result")).to_contain_text("You said Clear, 60% sure")
    page.keyboard.press("n")
    quiz.asks(2)
    # The drawing of a question outlives a reload; its case is still the one that is asked.
    screen.drag((300, 300), (400, 420))
    drawn, asked = quiz.drawn(), quiz.case()
    page.reload()
    quiz.asks(2)
    page.wait_for_function("window.deepPneumonia.stage.layers[0]?.mask.some(Boolean)")
    assert (quiz.drawn(), quiz.case()) == (drawn, asked)
    quiz.choose("Pneumonia", "100%")
    page.keyboard.press("Enter")
    quiz.revealed()
    page.locator("body").press("ArrowRight")
    quiz.asks(3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_finger_draws_and_answers_on_a_phone(opened: Open, theme: str) -> None:
    screen = opened("inspect", PHONE, theme)
    quiz = Quiz(screen)
    quiz.go(LINK)
    quiz.asks(1)
    page, asked = screen.page, quiz.case()
    viewer, form = page.locator(".viewer").bounding_box(), page.locator(".quiz").bounding_box()
    assert viewer is not None
    assert form is not None
    assert viewer["y"] + viewer["height"] <= form["y"]
    touch = page.context.new_cdp_session(page)
    for kind, point in (("touchStart", (300, 300)), ("touchMove", (350, 400)), ("touchMove", (400, 450))):
        x, y = screen.at(*point)
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    screen.settled()
    assert quiz.drawn() > 1000
    page.locator(".quiz-answer label", has_text="Pneumonia").tap()
    page.locator(".quiz-confidence label", has_text="70%").tap()
    assert screen.fits()
    for target in page.locator(".quiz-choice, .quiz-main").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    page.get_by_role("button", name="Reveal").tap()
    quiz.revealed()
    expect(page.locator(".quiz-verdict")).to_contain_text(asked.label)
    expect(page.locator(".quiz-plot")).to_be_visible()
    assert screen.fits()


def test_a_teacher_makes_a_link_and_a_learner_opens_it(opened: Open) -> None:
    quiz = Quiz(opened("quiz", DESKTOP, "dark"))
    page = quiz.page
    quiz.asks(1, 13)
    page.get_by_label("Difficulty").select_option("hard")
    quiz.asks(1, 4)
    page.get_by_text("Make a link for learners").click()
    for case in ASKED[:2]:
        page.locator(".quiz-case", has_text=case.title).click()
    link = page.get_by_label("Link", exact=True).input_value()
    assert [case.sha256[:12] in link for case in ASKED] == [True, True, False]
    assert not [case.id for case in CASES.values() if case.id in link]
    page.goto(link)
    quiz.asks(1, 2)
    expect(page.locator(".quiz-pick")).to_contain_text("A list of 2 cases")
    quiz.go("quiz?cases=<b>nobody</b>")
    expect(page.locator(".quiz-unknown")).to_contain_text("<b>nobody</b>")
    expect(page.locator(".quiz h3")).to_contain_text("No case to ask")
    page.get_by_role("link", name="All teaching cases").click()
    quiz.asks(1, 4)
