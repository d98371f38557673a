"""`comedo advise`, `comedo.advise`, the questions in the terminal, and the pages for review."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

import comedo
from builders import fresh_python, make_analysis
from cases import drawn_case
from comedo import cli
from comedo.advise_cli import ADVISE_EXAMPLES
from comedo.errors import UnusableInput
from comedo.grading.iga import grade_iga
from comedo.grading.nice import grade_nice
from comedo.guidance.advice import Group, Section
from comedo.guidance.answers import Answers, Treatment
from comedo.guidance.answers_file import parse_answers
from comedo.guidance.load import load_catalogue
from comedo.guidance.pages import pages
from comedo.guidance.questionnaire import ask
from comedo.report.advice_document import AdviceDocument, json_schema
from comedo.report.advice_text import print_advice
from comedo.report.tables import from_json, to_error, to_json
from comedo.types import Grade
from guidance.cases import HARMLESS, TABLES, TODAY

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = Path(comedo.__file__).parent / "report" / "schema" / "advice-1.schema.json"


def graded_analysis():
    analysis = make_analysis()
    counts = analysis.counts
    grades = {"nice_group": grade_nice(counts, has_scale=True), "iga_estimate": grade_iga(counts, has_scale=True)}
    return replace(analysis, grades={**analysis.grades, **grades})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an analysis and answers, as the command meets them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "selfie.json").write_text(to_json(graded_analysis()), "utf-8")
    (tmp_path / "answers.yaml").write_text(yaml.safe_dump(HARMLESS), "utf-8")
    return tmp_path


def run(*arguments, typed=None):
    return CliRunner().invoke(cli.app, ["advise", *arguments], input=typed)


def test_the_advice_is_one_json_document(folder):
    done = run("selfie.json", "--answers", "answers.yaml", "--json")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("{")
    read = AdviceDocument.model_validate_json(done.stdout)
    assert read.group is Group.MILD
    assert read.photo.sha256 == graded_analysis().photo_sha256


@pytest.mark.parametrize(("language", "title"), [("en", "When to see"), ("de", "Ärztlicher Rat")])
def test_the_advice_is_text_for_people(folder, language, title):
    (folder / "answers.yaml").write_text(yaml.safe_dump({**HARMLESS, "distress": "marked"}), "utf-8")
    done = run("selfie.json", "--answers", "answers.yaml", "--language", language)
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    advice = comedo.advise("selfie.json", "answers.yaml", language=language)
    words = load_catalogue(language)
    assert " ".join(words.say("claims").split()) in text
    assert "reviewed_by_clinician: false" in text
    for line in advice.lines:
        assert " ".join(line.text.split()) in text
        assert f"[{', '.join(line.sources)}]" in text
    for source in advice.sources.values():
        assert source.title in text
    assert text.index("RF_mind") < text.index(words.sections["treatments"])
    assert title in text or title.lower() in text.lower()


def test_asking_gives_the_advice_alone_on_stdout_and_keeps_the_answers(folder):
    typed = "24\n1\n1\n1\n0\n0\n1 6\n5\n1\n2\n\n\n\n1\n1\n1\n0\n0\n"
    done = run("selfie.json", "--ask", "--json", "--save-answers", "kept.yaml", typed=typed)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith('{"schema":"comedo.advice/1"')
    assert "Age in years" in done.stderr
    kept = comedo.advise("selfie.json", "kept.yaml", today=TODAY)
    assert kept.unanswered == ()
    assert kept.answers["treatments"][1] == {"what": "oral_antibiotic", "weeks": None, "now": None, "helped": None}


REFUSED = [
    (["selfie.json"], 2, "give either --answers FILE or --ask"),
    (["selfie.json", "--answers", "answers.yaml", "--ask"], 2, "give either --answers FILE or --ask"),
    (["selfie.json", "--answers", "answers.yaml", "--save-answers", "selfie.json"], 2, "selfie.json is there already"),
    (["-", "--ask"], 2, "standard input cannot hold both"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), REFUSED, ids=lambda v: str(v)[:30])
def test_misused_options_are_refused(folder, arguments, code, message):
    done = run(*arguments)
    assert done.exit_code == code
    assert " ".join(message.split()) in " ".join(done.stderr.replace("│", " ").split())


FILES = [
    ("gone.json", None, "the analysis gone.json cannot be read"),
    ("no.json", "no json", "the analysis no.json cannot be used: it is not JSON"),
    ("two.json", "{}\n{}", "it holds several documents, give one"),
    ("other.json", '{"schema": "x"}', "other.json is no analysis of comedo"),
    ("list.json", "[1]", "list.json is no analysis of comedo"),
    ("torn.json", '{"schema": "comedo.analysis/1"}', "the analysis torn.json is damaged at photo"),
    ("error.json", to_json(to_error(UnusableInput("bad"), "a")), "says why a photo could not be analysed"),
    ("deep.json", "[" * 100_000, "deep.json"),
]


@pytest.mark.parametrize(("name", "text", "message"), FILES, ids=[f[0] for f in FILES])
def test_files_that_are_no_analysis_are_refused_by_name(folder, name, text, message):
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(UnusableInput) as refused:
        comedo.advise(name, {})
    assert message in str(refused.value)


def test_an_analysis_and_its_file_give_the_same_advice(folder):
    analysis = graded_analysis()
    assert comedo.advise(analysis, HARMLESS, today=TODAY) == comedo.advise("selfie.json", HARMLESS, today=TODAY)


def test_a_review_changes_the_advice_and_is_named(tmp_path):
    """Comedo finds a severe face; the reader's word goes before it, and before the interval of comedo's count."""
    grades = {
        "nice_group": Grade(
            "nice_group", "moderate_to_severe", None, "", "", details={"group_high": "moderate_to_severe"}
        ),
        "iga_estimate": Grade("iga_estimate", 4, None, "", "", interval_90=(3, 4)),
    }
    case = drawn_case(tmp_path, grades={**make_analysis().grades, **grades}).load()
    assert comedo.advise(case, HARMLESS, today=TODAY).group is Group.SEVERE
    said = {"schema": "comedo.corrections/1", "reviewer": "Dr\x1b[31m A", "grades": []}
    for scale, value in (("nice_group", "mild_to_moderate"), ("iga_estimate", 2)):
        said["grades"].append({"scale": scale, "action": "correct", "value": value})
    after = comedo.reviewed_case(case, comedo.apply_corrections(case, said))
    advice = comedo.advise(after, HARMLESS, today=TODAY)
    assert advice.group is Group.MILD
    assert advice.group_why.startswith("The numbers are those of a review by Dr")
    console = Console(file=io.StringIO(), width=80)
    print_advice(advice, console)
    assert "\x1b" not in console.file.getvalue()


def test_help_teaches_the_options_and_the_answers():
    """Every field of an answers file stands in the help, with every value of those that take one."""
    for parameter in get_command(cli.app).commands["advise"].params:
        assert parameter.name == "help" or parameter.help, parameter.name
    for question in TABLES.questions:
        assert question.id in ADVISE_EXAMPLES
        if question.kind == "choice":
            line = next(text for text in ADVISE_EXAMPLES.splitlines() if text.startswith(f"  {question.id}:"))
            assert set(re.findall(r"\w+", line)) - {question.id, "or"} == set(question.answers)
    entry = next(text for text in ADVISE_EXAMPLES.splitlines() if text.startswith("  treatments:"))
    assert parse_answers(entry.strip().replace("- ", "[", 1).encode() + b"]").treatments
    done = run("--help")
    assert done.exit_code == 0
    assert "comedo track" in " ".join(done.output.split())


def test_grades_that_are_absent_list_nothing(folder):
    document = from_json((folder / "selfie.json").read_bytes())
    grades = document.grades.model_copy(update={"nice_group": None, "iga_estimate": None})
    from comedo.report.advise import advise

    advice = advise(document.model_copy(update={"grades": grades}), HARMLESS)
    assert advice.group is Group.NOT_ASSESSED
    assert not advice.section(Section.TREATMENTS)


def test_the_shipped_schema_is_that_of_the_document():
    assert json.loads(SCHEMA.read_text("utf-8")) == json_schema()


def test_guidance_is_loaded_only_when_asked_for():
    code = "import comedo.cli, comedo, sys; print(*[m for m in sys.modules if 'guidance' in m])"
    assert fresh_python(code).split() == []


# ------------------------------------------------------------------ questions


def asked(*lines, language="en"):
    """The answers of someone who types these lines, and what was shown."""
    shown, waiting = [], iter(lines)

    def read(prompt):
        shown.append(prompt)
        return next(waiting, "")

    return ask(TABLES.questions, load_catalogue(language), read, shown.append), shown


def test_nothing_typed_answers_nothing():
    answers, shown = asked()
    assert answers == Answers()
    assert shown[0].startswith("An empty answer leaves")


def test_typed_numbers_are_answers():
    answers, _ = asked("24", "2", "1", "1", "0", "1, 13", "7", "8", "2", "3", "4", "1", "3", "2 2", "5 9")
    assert answers.age == 24
    assert answers.treatments == (Treatment("isotretinoin", 8, False, "no"),)
    assert answers.choices == {
        "sex": {"male"},
        "pregnancy": {"not_possible"},
        "breast_feeding": {"no"},
        "allergies": frozenset(),
        "conditions": {"eczema_or_damaged_skin", "smoker"},
        "skin_type": {"sensitive"},
        "sun": {"always_burns"},
        "distress": {"marked"},
        "scars": {"dark_marks"},
        "red_flags": {"deep_lumps", "changing_spot"},
    }


@pytest.mark.parametrize("wrong", ["-1", "130", "old", "2.5", "1e9", "²"])
def test_what_is_no_answer_is_asked_again(wrong):
    answers, shown = asked(wrong, "24", language="de")
    assert answers.age == 24
    assert shown.count("Das ist keine der Antworten; bitte noch einmal.") == 1


@pytest.mark.parametrize("wrong", ["0", "4", "-1", "1 2", "female"])
def test_a_choice_is_one_number(wrong):
    answers, shown = asked("", wrong, "1")
    assert answers.choices == {"sex": {"female"}}
    assert "That is not one of the answers; please try again." in shown


# ------------------------------------------------------------------ pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_pages_for_review_are_made_from_the_tables(name):
    assert (DOCS / name).read_text("utf-8") == pages()[name], "run: make guidance"


def test_every_row_stands_on_a_page():
    text = "".join(pages().values())
    assert [row.id for row in TABLES.rows() if f"| {row.id} |" not in text] == []
    assert [s for s in TABLES.sources if f"| {s} |" not in text] == []


def test_the_example_of_answers_is_read(tmp_path):
    text = (DOCS / "guidance.md").read_text("utf-8")
    block = next(b for b in text.split("```")[1::2] if "schema: comedo.answers/1" in b)
    (tmp_path / "answers.yaml").write_text(block.strip("\n"), "utf-8")
    (tmp_path / "selfie.json").write_text(to_json(graded_analysis()), "utf-8")
    advice = comedo.advise(tmp_path / "selfie.json", tmp_path / "answers.yaml")
    assert advice.unanswered == ()
