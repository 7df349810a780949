"""Compare two servers completely, or check what one of them has published. Nothing is ever changed.

| module | does |
|---|---|
| `options.py` | what an audit looks at |
| `bench.py` | puts the parts together for the tasks |
| `comparison.py` | turns the comparison of one object into a finding |
| `series.py`, `events.py`, `objects.py` | compare series, events, and what else there is |
| `publications.py` | checks the publications of one server, and its index for the player |
| `report.py` | writes the lists and the page |
"""
