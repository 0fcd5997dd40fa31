"""Names of people and of what they are known for are spelled one way; `make lint` checks the other words."""

import re
import unicodedata
from pathlib import Path

ROOT = Path(__file__).parent.parent


def words(text):
    return text.split()


FILES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        ROOT / "CITATION.cff",
        *(ROOT / "docs").rglob("*.md"),
        *(
            path
            for name in ("xr_dip", "tests", "examples", "benchmarks", "docs")
            for path in (ROOT / name).rglob("*.py")
        ),
    )
    if not {"_build", "generated"} & set(path.parts) and path != Path(__file__)
)
PEOPLE = words("""
Archambault Filoche Charantonis Béréziat Ulyanov Vedaldi Lempitsky Heckel Czerkawski Cardona Atkinson Michie Andonovic
Tachtatzis Geiss Hardin Irani Peleg Hernandez-Garcia Sattegeri Szwarcman Rolnick Rasmussen Paciorek Schervish Dubrule
Patterson Thompson Matérn Charbonnier Brodeau Lagerloef Mitchum Niiler Gneiting Ganin Hoeting Oosterom Strackee Okabe
""")
# The attributes of a file are plain ASCII, which every program can show.
ASCII_IN_FILES = {("xr_dip/cf/dataset.py", "Bereziat")}
METHODS = {
    r"\b(Pytorch|pytorch(?= is| has|'s)|Py Torch)\b": "PyTorch, or torch",
    r"\bNumpy\b": "NumPy",
    r"\bScipy\b": "SciPy",
    r"\bX[Aa]rray\b": "xarray",
    r"\bMatplotlib\b": "matplotlib",
    r"\bGithub\b": "GitHub",
    r"\bNetcdf\b": "NetCDF",
    r"\b[Nn]eural [Kk]nit-?works?\b(?<!Neural Knitworks)(?<!Neural Knitwork)": "Neural Knitworks",
    r"\b[Kk]riegeing\b|\b[Kk]rigging\b|\b[Kk]riggin\b": "kriging",
}


def plain(word):
    """A word without accents, in lower case."""
    return "".join(sign for sign in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(sign))


def one_slip_apart(one, other):
    """Whether one letter was changed, left out, added or swapped with the next."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rests = one[start:], other[start:]
    if rests[0][1:] == rests[1][1:] or rests[0][1:] == rests[1] or rests[0] == rests[1][1:]:
        return True
    return rests[0][:2] == rests[1][1::-1] and rests[0][2:] == rests[1][2:]


def misspelled(text):
    """Capitalised words that are nearly one of the names; a part of a dotted name is code."""
    words = set(re.findall(r"(?<![.\w])[A-ZÉ][\w-]{4,}", text)) - set(PEOPLE)
    known = {plain(person) for person in PEOPLE}
    return {
        word
        for word in words
        if not word.isupper()
        and (plain(word) in known or any(one_slip_apart(plain(word), name) for name in known if len(name) > 5))
    }


def test_names_of_people_are_spelled_one_way():
    found = {(str(path.relative_to(ROOT)), word) for path in FILES for word in misspelled(path.read_text("utf-8"))}
    assert found - ASCII_IN_FILES == set()
    assert found >= ASCII_IN_FILES  # else the exception is to go


def test_names_of_methods_and_packages_are_spelled_one_way():
    found = {
        (str(path.relative_to(ROOT)), name, right)
        for path in FILES
        for wrong, right in METHODS.items()
        for name in re.findall(wrong, path.read_text("utf-8"))
    }
    assert found == set()


def test_every_name_is_in_use():
    """A name that nobody cites any more would hide its misspellings."""
    text = "".join(path.read_text("utf-8") for path in FILES)
    assert [person for person in PEOPLE if person not in text] == []


def test_slips_are_found():
    text = "Matern, Hardin, Hadrin, Hardi, Harding, Bereziat, Gneitnig, kernels.Matern and Czerkawsky"
    assert misspelled(text) == {"Matern", "Hadrin", "Hardi", "Harding", "Bereziat", "Gneitnig", "Czerkawsky"}
