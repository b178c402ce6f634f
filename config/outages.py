"""Says to an operator, in a sentence, why the database can't be used."""

from __future__ import annotations

from django.db import DatabaseError, OperationalError

# PostgreSQL's codes for a table and for a column that are not there.
MISSING_CODES = ("42P01", "42703")
MISSING_WORDS = ("no such table", "no such column", "has no column")


def describe_outage(fault: DatabaseError) -> str:
    """The sentence with the remedy; nothing where the fault is the program's own."""
    detail = " ".join(str(fault).split())
    if lacks_tables(fault):
        return (
            f"The database lacks tables of this version ({detail}): run 'manage.py "
            "migrate', or check DATA_DIR and DATABASE_URL."
        )
    # SQLite calls operational what is wrong in a statement, too.
    if isinstance(fault, OperationalError) and "syntax error" not in detail:
        return f"The database does not answer ({detail}): check DATABASE_URL."
    return ""


def lacks_tables(fault: DatabaseError) -> bool:
    code = getattr(fault.__cause__, "sqlstate", "")
    return code in MISSING_CODES or any(word in str(fault) for word in MISSING_WORDS)
