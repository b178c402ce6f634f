"""Which arm of a case comes first, or stands on which side: equally often each.

A table of raters × cases is a bipartite graph with a cell an edge; giving each cell an
arm so that every row and every column has each arm equally often, within one, is an
equitable edge colouring, which exists for every such graph (de Werra 1971), whatever
cells are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ratings.allocation.draws import Pick, shuffle

Cell = tuple[int, int]
Line = tuple[str, int]
MIXES_PER_CELL = 30


def draw_first_arms(*, cells: Sequence[Cell], arms: int, pick: Pick) -> dict[Cell, int]:
    """An arm for each (rater, case), balanced within one in every row and column."""
    table = {cell: pick(arms) for cell in cells}
    for a, b in find_uneven(table, arms):
        split_evenly(table, a, b, pick)
    mix(table, pick)
    return table


def count_lines(table: Mapping[Cell, int], arms: int) -> dict[Line, list[int]]:
    """How often each arm stands in each row and in each column."""
    counts: dict[Line, list[int]] = {}
    for (row, column), arm in table.items():
        for line in (("row", row), ("column", column)):
            counts.setdefault(line, [0] * arms)[arm] += 1
    return counts


def find_uneven(table: Mapping[Cell, int], arms: int) -> Iterable[tuple[int, int]]:
    """Pairs of arms that some line has unequally, until there is none.

    Evening one pair out lowers the sum of squared counts, so this ends.
    """
    while True:
        uneven = next(
            (
                (a, b)
                for counts in count_lines(table, arms).values()
                for a in range(arms)
                for b in range(a)
                if abs(counts[a] - counts[b]) > 1
            ),
            None,
        )
        if uneven is None:
            return
        yield uneven


def split_evenly(table: dict[Cell, int], a: int, b: int, pick: Pick) -> None:
    """Share the cells of two arms out along alternating trails of their graph.

    Trails that begin at lines of odd degree come first; closed ones have an even
    length because the graph is bipartite. So each line gets both arms within one.
    """
    links: dict[Line, list[Cell]] = {}
    for cell in shuffle([c for c, arm in table.items() if arm in (a, b)], pick):
        for line in (("row", cell[0]), ("column", cell[1])):
            links.setdefault(line, []).append(cell)
    used: set[Cell] = set()
    odd = [line for line, cells in links.items() if len(cells) % 2]
    for start in [*odd, *links]:
        line, turn = start, pick(2)
        while free := next_unused(links[line], used):
            used.add(free)
            table[free] = (a, b)[turn]
            turn = 1 - turn
            line = ("column", free[1]) if line[0] == "row" else ("row", free[0])


def next_unused(cells: list[Cell], used: set[Cell]) -> Cell | None:
    while cells:
        cell = cells.pop()
        if cell not in used:
            return cell
    return None


def mix(table: dict[Cell, int], pick: Pick) -> None:
    """Random exchanges that keep every row's and every column's counts."""
    cells = sorted(table)
    rows = sorted({row for row, _ in cells})
    if len(rows) == 1:
        mix_row(table, cells, pick)
        return
    columns = sorted({column for _, column in cells})
    for _ in range(MIXES_PER_CELL * len(cells) if len(columns) > 1 else 0):
        r, s = rows[pick(len(rows))], rows[pick(len(rows))]
        c, d = columns[pick(len(columns))], columns[pick(len(columns))]
        corner = [table.get(cell) for cell in ((r, c), (r, d), (s, c), (s, d))]
        a, b = corner[0], corner[1]
        if a is not None and b is not None and a != b and corner[2:] == [b, a]:
            table[r, c], table[r, d], table[s, c], table[s, d] = b, a, a, b


def mix_row(table: dict[Cell, int], cells: list[Cell], pick: Pick) -> None:
    arms = shuffle([table[cell] for cell in cells], pick)
    table.update(zip(cells, arms, strict=True))


def arrange(
    *, first: Mapping[str, str], arms: Sequence[str], pick: Pick
) -> dict[str, list[str]]:
    """All arms of each case in order, of which `first` is the first.

    Cases are gathered in blocks whose first arms differ, and a block is a part of a
    Latin square, so every place in the order has each arm equally often, within one.
    """
    waiting: dict[str, list[str]] = {arm: [] for arm in arms}
    for case in shuffle(sorted(first), pick):
        waiting[first[case]].append(case)
    orders: dict[str, list[str]] = {}
    while any(waiting.values()):
        circle = shuffle(arms, pick)
        for place, arm in enumerate(circle):
            if waiting[arm]:
                orders[waiting[arm].pop()] = [*circle[place:], *circle[:place]]
    return orders


def draw_late_row(*, seen: Sequence[Sequence[int]], arms: int, pick: Pick) -> list[int]:
    """First arms of a rater who comes when the others' are fixed.

    `seen` has, per case, how often each arm was first for the others. The row itself
    is balanced within one; under that, the sum over cases of the squared counts is
    the least possible. Moves of single cases from arm to arm are combined into
    cycles until no cycle lowers the sum.
    """
    count = len(seen)
    row = shuffle([n % arms for n in range(count)], pick)
    while cycle := find_better_cycle(row, seen, arms):
        for case, arm in cycle:
            row[case] = arm
    for _ in range(MIXES_PER_CELL * count):
        c, d = pick(count), pick(count)
        now = seen[c][row[c]] + seen[d][row[d]]
        if seen[c][row[d]] + seen[d][row[c]] == now:
            row[c], row[d] = row[d], row[c]
    return row


def find_better_cycle(
    row: Sequence[int], seen: Sequence[Sequence[int]], arms: int
) -> list[tuple[int, int]]:
    """Moves (case, new arm) that together lower the sum; none if it is the least.

    Bellman–Ford on the arms: the edge a → b is the cheapest case to be moved from a to
    b. Where the row has more of b than of a, an edge a → b without any case
    stands for the freedom that the counts may differ by one.
    """
    edges: dict[tuple[int, int], tuple[int, int | None]] = {}
    top = 1 + max((max(counts) for counts in seen), default=0)
    for moved, a in enumerate(row):
        for b in range(arms):
            cost = seen[moved][b] - seen[moved][a]
            if a != b and cost < edges.get((a, b), (top, None))[0]:
                edges[a, b] = cost, moved
    sizes = [sum(a == arm for a in row) for arm in range(arms)]
    for a in range(arms):
        for b in range(arms):
            if sizes[b] > sizes[a] and edges.get((a, b), (1, None))[0] > 0:
                edges[a, b] = 0, None
    cycle = find_negative_cycle(edges, arms)
    return [(case, b) for a, b in cycle if (case := edges[a, b][1]) is not None]


def find_negative_cycle(
    edges: Mapping[tuple[int, int], tuple[int, int | None]], nodes: int
) -> list[tuple[int, int]]:
    distance, before = [0] * nodes, [-1] * nodes
    changed = -1
    for _ in range(nodes):
        changed = -1
        for (a, b), (cost, _case) in edges.items():
            if distance[a] + cost < distance[b]:
                distance[b], before[b], changed = distance[a] + cost, a, b
    if changed < 0:
        return []
    for _ in range(nodes):
        changed = before[changed]
    cycle: list[tuple[int, int]] = []
    node = changed
    while not cycle or node != changed:
        cycle.append((before[node], node))
        node = before[node]
    return cycle
