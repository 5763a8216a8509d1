"""Tables of other programs: cells by their meaning, columns by their names, and everything else an error."""

import codecs

import pytest

from deep_pneumonia.errors import AnnotationError, NotATableError
from deep_pneumonia.masks import table
from deep_pneumonia.masks.table import Row, leaves, parse_table, plain

COLUMNS = ("name", "x", "y", "width", "height")


def row(**cells: str) -> Row:
    return Row("t.csv", 7, cells)


def rows(text: str | bytes, columns: tuple[str, ...] = ("name", "x"), strict: bool = True) -> list[tuple[int, str]]:
    """The number of each row and its cells in the order of `columns`, joined by a bar."""
    data = text if isinstance(text, bytes) else text.encode()
    found = parse_table(data, columns, "t.csv", strict=strict)
    assert all(r.name == "t.csv" for r in found)
    return [(r.number, "|".join(r[c] for c in columns)) for r in found]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1", 1), (" 1.0 ", 1), ("+.5", 0.5), ("-3.", -3), ("1e3", 1000), ("1E+2", 100), ("2e-1", 0.2),
     ("1000000", 1e6), ("-1000000", -1e6)],
)  # fmt: skip
def test_numbers(cell: str, value: float) -> None:
    assert row(x=cell).number_in("x") == value


@pytest.mark.parametrize(
    "cell",
    ["", "one", "1,5", "nan", "inf", "1e400", "1000001", "-1000001", "0x10", "1 2", "\N{ARABIC-INDIC DIGIT ONE}", "1_0",
     "."],
)  # fmt: skip
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(AnnotationError, match=r"^t\.csv has '.*' as x in row 7; expected a number of at most 1000000"):
        row(x=cell).number_in("x")


def test_a_decimal_comma_is_read_where_the_separator_is_a_semicolon() -> None:
    assert Row("t.csv", 2, {"x": "1,5"}, decimal_comma=True).number_in("x") == 1.5
    assert Row("t.csv", 2, {"x": "1.5"}, decimal_comma=True).number_in("x") == 1.5
    for cell in ("1,000.5", "1,000,5"):
        with pytest.raises(AnnotationError, match="expected a number"):
            Row("t.csv", 2, {"x": cell}, decimal_comma=True).number_in("x")
    (semicolon,) = parse_table(b"name;x\na;1,5\n", ("name", "x"), "t.csv")
    (tab,) = parse_table(b"name\tx\na\t1,5\n", ("name", "x"), "t.csv")
    assert semicolon.number_in("x") == 1.5
    with pytest.raises(AnnotationError, match="expected a number"):
        tab.number_in("x")


@pytest.mark.parametrize(("cell", "value"), [
    ("1", True), (" 1.0", True), ("TRUE", True), ("Yes", True), ("0", False), ("0.0", False), ("false ", False),
    ("NO", False),
])  # fmt: skip
def test_flags(cell: str, value: bool) -> None:
    assert row(flag=cell).flag("flag") is value


@pytest.mark.parametrize("cell", ["", "2", "-1", "0.5", "maybe", "y", "nan"])
def test_another_flag_is_refused_instead_of_read_as_no(cell: str) -> None:
    with pytest.raises(AnnotationError, match=rf"^t\.csv has '{cell}' as flag in row 7; expected 0 or 1\.$"):
        row(flag=cell).flag("flag")


def test_words_have_a_meaning_or_are_refused() -> None:
    meanings = {"lung opacity": 1, "normal": 0}
    assert row(a=" Lung_Opacity").one_of("a", meanings) == 1
    assert row(a="NORMAL").one_of("a", meanings) == 0
    with pytest.raises(
        AnnotationError, match=r"^t\.csv has 'abnormal' as a in row 7; expected one of lung opacity, no"
    ):
        row(a="abnormal").one_of("a", meanings)
    with pytest.raises(AnnotationError, match=r"has 'x{60}' as a in row 7; expected a word"):
        row(a="x" * 61).one_of("a", meanings, "a word")


def test_missing_cells() -> None:
    for cell in ("", " ", "NaN", "NA", "null", "None"):
        assert row(x=cell).is_empty("x")
    assert row(x="", y="nan").is_empty("x", "y")
    assert not row(x="", y="0").is_empty("x", "y")
    assert row(x=" Dr A ").text("x") == "Dr A"
    with pytest.raises(AnnotationError, match=r"^t\.csv has ' ' as x in row 7; expected a name\.$"):
        row(x=" ").text("x")


def test_boxes() -> None:
    place = {"x": "1", "y": "2.5", "width": "3", "height": "0.5"}
    assert row(**place).box(COLUMNS[1:]) == (1, 2.5, 3, 0.5)
    for side in ("width", "height"):
        for value in ("0", "-1"):
            with pytest.raises(AnnotationError, match=r"^t\.csv has a box of .* in row 7; expected a width"):
                row(**{**place, side: value}).box(COLUMNS[1:])


def test_a_box_may_leave_its_picture_by_a_rounding_of_one_pixel() -> None:
    frame = (50, 100)
    for box in ((0, 0, 100, 50), (-1, -1, 5, 5), (90, 0, 11, 5), (0, 40, 5, 11)):
        assert not leaves(box, frame)
    for box in ((-1.1, 0, 5, 5), (0, -1.1, 5, 5), (90, 0, 11.1, 5), (0, 40, 5, 11.1), (101, 0, 1, 1), (0, 51, 1, 1)):
        assert leaves(box, frame)
    inside = row(x="90", y="1", width="11", height="2")
    assert inside.box_within(COLUMNS[1:], frame, "the picture") == (90, 1, 11, 2)
    message = r"^t\.csv has a box from \(90, 1\) to \(102, 3\) in row 7, which leaves the picture of 100 x 50 pixels"
    with pytest.raises(AnnotationError, match=message):
        row(x="90", y="1", width="12", height="2").box_within(COLUMNS[1:], frame, "the picture")


def test_words_compare_without_case_and_separators() -> None:
    assert plain("  No_Lung  Opacity/Not\tNormal ") == "no lung opacity not normal"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (b"", "utf-16-le"), (b"", "utf-16-be"),
     (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)  # fmt: skip
def test_columns_are_found_by_name_in_each_separator_and_encoding(separator: str, mark: bytes, encoding: str) -> None:
    text = 'X,other,Name\r\n1,?,"ä, b"\r\n\r\n2,?,c\r\n'.replace(",", separator)
    expected = [(2, "ä, b|1".replace(",", separator)), (4, "c|2")]
    assert rows(mark + text.encode(encoding)) == expected


def test_rows_may_be_shorter_and_in_strict_tables_not_longer() -> None:
    assert rows("name,x,y\na\nb,1\n,,\n c ,3,4,, \n") == [(2, "a|"), (3, "b|1"), (5, " c |3")]
    assert rows("name,x\na,1,2\n", strict=False) == [(2, "a|1")]
    with pytest.raises(AnnotationError, match=r"^t\.csv has 3 cells in row 3; expected 2"):
        rows("name,x\na,1\nb,2,3\n")


def test_one_name_with_commas_names_the_columns_after_it() -> None:
    text = '"Index","Bbox [x,y,w,h]",,,\na,1,2,3,4\n'
    assert rows(text, ("index", "bbox [x", "y", "w", "h]")) == [(2, "a|1|2|3|4")]
    assert rows('name,"a,b",c\n1,2,3\n', ("name", "a,b", "c")) == [(2, "1|2|3")]


def test_a_missing_or_doubled_column_is_named() -> None:
    with pytest.raises(NotATableError, match=r"^t\.csv lacks the column 'x'"):
        rows("name,y\na,1\n")
    with pytest.raises(NotATableError, match=r"^t\.csv lacks the column 'name'"):
        rows("")
    with pytest.raises(AnnotationError, match=r"^t\.csv has the column 'x' twice"):
        rows("name,x,X\na,1,2\n")
    assert rows("name,x,other,Other\na,1,2,3\n") == [(2, "a|1")]


def test_open_quotes_are_refused_in_strict_tables() -> None:
    with pytest.raises(NotATableError, match=r"^t\.csv cannot be read as a table \(.*\); export it again"):
        rows('name,x\n"a,1\n')
    assert rows('name,x\n"a,1\n', strict=False) == [(2, "a,1\n|")]


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04....xl/workbook.xml", b"PK\x03\x04 application/vnd.oasis.opendocument.spreadsheet",
     b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1name,x"],
)  # fmt: skip
def test_a_workbook_is_named_as_such(data: bytes) -> None:
    with pytest.raises(AnnotationError, match=r"^t\.csv is a workbook of Excel"):
        rows(data)


def test_an_archive_without_a_workbook_is_no_table() -> None:
    with pytest.raises(NotATableError, match="lacks the column"):
        rows(b"PK\x03\x04....")


@pytest.mark.parametrize(
    ("limit", "largest", "message"),
    [("MAX_TABLE_BYTES", 20, "has more than 19 bytes"), ("MAX_TABLE_ROWS", 3, "has more than 2 rows"),
     ("MAX_TABLE_COLUMNS", 2, "lacks the column 'name'")],
)  # fmt: skip
def test_bounds(monkeypatch: pytest.MonkeyPatch, limit: str, largest: int, message: str) -> None:
    text = "name,x\na,1\nb,22\nc,3\n"
    monkeypatch.setattr(table, limit, largest)
    assert len(rows(text)) == 3
    monkeypatch.setattr(table, limit, largest - 1)
    with pytest.raises(AnnotationError, match=message):
        rows(text)


def test_lines_are_shorter_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_LINE_LENGTH", 8)
    assert rows("name,x\na,1234\n") == [(2, "a|1234")]
    with pytest.raises(NotATableError, match="a line has 8 characters or more"):
        rows("name,x\na,12345\n")
