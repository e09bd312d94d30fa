"""`debian/install` and its kind (dh_install(1)): which files of the source a package puts where."""

from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import LONGEST, Deployed, Pages
from portwright.repositories.deployers.shell_files import globbed, label_of, lines_of_file, on_host, put
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import CHECKOUT, Piece, text_of


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """Each line names files, and the folder they are put into."""
    pages = Pages(label, cut=len(text) > LONGEST)
    top = label.rpartition("/debian/")[0] if "/debian/" in label else ""
    state = State(pages, checkout, directory=f"{CHECKOUT}/{top}".rstrip("/"))
    for number, line in enumerate(text[:LONGEST].split("\n"), 1):
        pages.understood.add(number)
        words = line.split()
        if len(words) < 2 or line.lstrip().startswith("#") or "=>" in words:
            continue
        into = f"/{words[-1].strip('/')}"
        for word in words[:-1]:
            for each in globbed(state, (Piece(word, label, number, 1),)):
                found = label_of(state, text_of(each))
                lines = lines_of_file(state, found) if found else None
                if lines is not None:
                    put(state, on_host(state, f"{into}/{found.rpartition('/')[2]}"), lines, False, found)
    return pages.deployed()
