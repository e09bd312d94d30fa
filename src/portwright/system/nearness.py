"""How near two names are: the slips of the hand between what somebody wrote and what exists."""


def near(one: str, other: str, allowed: int) -> bool:
    """Whether no more slips of the hand than allowed lie between two names: a letter too many, too few, another, or two exchanged."""
    # Damerau-Levenshtein over names of at most 40 characters.
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        latest = [i]
        for j, wanted in enumerate(other, 1):
            steps = min(latest[-1] + 1, row[j] + 1, row[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                steps = min(steps, before[j - 2] + 1)
            latest.append(steps)
        before, row = row, latest
        if min(row) > allowed < min(before):
            return False
    return row[-1] <= allowed
