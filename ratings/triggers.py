"""What the database itself refuses, whoever asks: changes of the record and of a lock.

A rebuilt SQLite table silently loses its triggers, and a trigger can keep a table from
being rebuilt. So migrations take them all off first and put them all on afterwards
(`ratings.apps`), and a system check says when one is missing (`ratings.checks`).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ratings.models import (
    AccessEntry,
    Arm,
    AuditEntry,
    Case,
    Companion,
    Guess,
    Item,
    Mask,
    Presentation,
    Problem,
    ProtocolVersion,
    Reply,
    Score,
    Signature,
    Study,
    Unblinding,
    Withdrawal,
)

PREFIX = "blindfold_"
APPEND_ONLY: tuple[type[models.Model], ...] = (
    Score, Guess, Presentation, Item, ProtocolVersion, Signature, Withdrawal,
    Unblinding, AuditEntry, AccessEntry, Problem, Reply,
)  # fmt: skip
STEPS = (
    ("draft", "locked"),
    ("locked", "collecting"),
    ("collecting", "closed"),
    ("closed", "unblinded"),
)
# What an append-only row may lose once its person's account is erased.
ERASABLE: dict[type[models.Model], tuple[str, ...]] = {Signature: ("name", "salt")}
# What a lock fixes, by table; words to raters and balance reports may follow later.
FROZEN: dict[type[models.Model], tuple[str, ...]] = {
    Study: (
        "title", "scale", "questions", "design", "reference_arm", "seed", "protocol",
        "protocol_sha256", "selection", "faces",
    ),
    Case: (
        "study_id", "label", "image_path", "image_sha256", "geometry", "left_out",
        "strata", "subject",
    ),
    Mask: ("case_id", "arm_id", "path", "sha256", "voxels"),
    Arm: ("study_id", "key", "kind"),
    Companion: ("case_id", "kind", "path", "sha256"),
}  # fmt: skip

ITS_STUDY = """
    SELECT t.* FROM ratings_study t
    JOIN ratings_enrolment e ON e.study_id = t.id
    JOIN ratings_session s ON s.enrolment_id = e.id
    JOIN ratings_presentation p ON p.session_id = s.id
    JOIN ratings_item i ON i.presentation_id = p.id
    WHERE i.id = NEW.item_id"""
ITS_RATER = """
    SELECT 1 FROM ratings_enrolment e
    JOIN ratings_session s ON s.enrolment_id = e.id
    JOIN ratings_presentation p ON p.session_id = s.id
    JOIN ratings_item i ON i.presentation_id = p.id
    WHERE i.id = NEW.item_id AND e.user_id = NEW.by_id"""
ITS_EARLIER = """
    SELECT 1 FROM ratings_score o WHERE o.id = NEW.supersedes_id
    AND o.item_id = NEW.item_id AND o.question = NEW.question
    AND o.revision = NEW.revision - 1"""
POINTS = {
    "sqlite": "json_each(own.scale) point WHERE "
    "json_extract(point.value, '$.value') = NEW.value",
    "postgresql": "jsonb_array_elements(own.scale) point WHERE "
    "(point ->> 'value')::numeric = NEW.value",
}
WHOLE = {
    "sqlite": "typeof(NEW.value) = 'integer'",
    "postgresql": "NEW.value = trunc(NEW.value)",
}


@dataclass(frozen=True)
class Trigger:
    """Before `event` on `table`, refuse with `message` when `condition` holds."""

    name: str
    table: str
    event: str
    message: str
    condition: str = ""


def list_triggers(vendor: str) -> list[Trigger]:
    found = [trigger for model in APPEND_ONLY for trigger in keep_rows(model, vendor)]
    found += guard_scores(vendor)
    found += [trigger for model in FROZEN for trigger in freeze(model, vendor)]
    return [*found, guard_state(), guard_key()]


def keep_rows(model: type[models.Model], vendor: str) -> list[Trigger]:
    table = model._meta.db_table
    name, message = f"{PREFIX}{table}", f"{table} is append-only"
    found = [
        Trigger(f"{name}_update", table, "UPDATE", message, kept(model, vendor)),
        Trigger(f"{name}_delete", table, "DELETE", message),
    ]
    if vendor == "postgresql":
        return [*found, Trigger(f"{name}_truncate", table, "TRUNCATE", message)]
    # INSERT OR REPLACE deletes the row that is in its way without a DELETE trigger.
    return [*found, Trigger(f"{name}_replace", table, "INSERT", message, taken(model))]


def kept(model: type[models.Model], vendor: str) -> str:
    """Empty, for no change at all; or what makes a change more than an erasure."""
    erasable = ERASABLE.get(model, ())
    if not erasable:
        return ""
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    columns = [field.column for field in model._meta.local_fields]
    changed = [f"OLD.{c} {differs} NEW.{c}" for c in columns if c not in erasable]
    filled = [f"NEW.{c} <> ''" for c in erasable]
    held = (
        "NOT EXISTS (SELECT 1 FROM auth_user u WHERE u.id = OLD.by_id "
        "AND u.email = '' AND NOT u.is_active)"
    )
    return " OR ".join([*changed, *filled, held])


def taken(model: type[models.Model]) -> str:
    """Whether a row with one of the new row's unique values is there already."""
    columns = {field.name: field.column for field in model._meta.local_fields}
    keys: list[tuple[str | None, ...]] = [
        (field.column,) for field in model._meta.local_fields if field.unique
    ]
    keys += [
        tuple(columns[name] for name in constraint.fields)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]
    same = [" AND ".join(f"o.{c} = NEW.{c}" for c in key) for key in keys]
    either = " OR ".join(f"({text})" for text in same)
    return f"EXISTS (SELECT 1 FROM {model._meta.db_table} o WHERE {either})"


def guard_scores(vendor: str) -> list[Trigger]:
    """A score is on its study's scale, by its item's rater, while one collects."""
    on_scale = (
        f"EXISTS (SELECT 1 FROM (SELECT * FROM ({ITS_STUDY}) x) own, {POINTS[vendor]})"
    )
    rules = {
        "scale": (
            "the value is not on the study's scale",
            f"NEW.value IS NOT NULL AND NOT ({WHOLE[vendor]} AND {on_scale})",
        ),
        "rater": (
            "the score is not by the rater of the item",
            f"NOT EXISTS ({ITS_RATER})",
        ),
        "open": (
            "the study does not collect scores",
            f"NOT EXISTS (SELECT 1 FROM ({ITS_STUDY}) own "
            "WHERE own.state = 'collecting')",
        ),
        "chain": (
            "a change must follow the latest score of the same item and question",
            f"NEW.supersedes_id IS NOT NULL AND NOT EXISTS ({ITS_EARLIER})",
        ),
    }
    return [
        Trigger(f"{PREFIX}score_{key}", Score._meta.db_table, "INSERT", text, condition)
        for key, (text, condition) in rules.items()
    ]


def freeze(model: type[models.Model], vendor: str) -> list[Trigger]:
    """Nothing of a locked study's material comes, goes or changes."""
    table = model._meta.db_table
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    changed = " OR ".join(f"OLD.{c} {differs} NEW.{c}" for c in FROZEN[model])
    message = f"{table} is fixed since the study was locked"
    events = {
        "UPDATE": f"{locked(model, 'OLD')} AND ({changed})",
        "DELETE": locked(model, "OLD"),
    }
    if model is not Study:
        events["INSERT"] = f"{locked(model, 'NEW')} AND NOT ({is_control(model)})"
    return [
        Trigger(f"{PREFIX}{table}_{e.lower()}", table, e, message, condition)
        for e, condition in events.items()
    ]


def locked(model: type[models.Model], row: str) -> str:
    if model is Study:
        return f"{row}.state <> 'draft'"
    if model in (Mask, Companion):
        source = (
            "ratings_study t JOIN ratings_case c ON c.study_id = t.id "
            f"WHERE c.id = {row}.case_id"
        )
    else:
        source = f"ratings_study t WHERE t.id = {row}.study_id"
    return f"EXISTS (SELECT 1 FROM {source} AND t.state <> 'draft')"


def is_control(model: type[models.Model]) -> str:
    """Controls are no arm of the comparison; a later rater's are made later."""
    if model is Arm:
        return "NEW.kind = 'control'"
    if model is Mask:
        return (
            "EXISTS (SELECT 1 FROM ratings_arm a WHERE a.id = NEW.arm_id "
            "AND a.kind = 'control')"
        )
    return "1 = 0"


def guard_state() -> Trigger:
    steps = ", ".join(f"'{before}>{after}'" for before, after in STEPS)
    return Trigger(
        f"{PREFIX}study_state",
        Study._meta.db_table,
        "UPDATE",
        "a study goes from draft to locked, collecting, closed and unblinded only",
        f"OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({steps})",
    )


def guard_key() -> Trigger:
    return Trigger(
        f"{PREFIX}study_key",
        Study._meta.db_table,
        "UPDATE",
        "a study is unblinded only with a reason on record",
        "NEW.state = 'unblinded' AND NOT EXISTS "
        "(SELECT 1 FROM ratings_unblinding u WHERE u.study_id = NEW.id)",
    )


def write_sqlite(trigger: Trigger) -> list[str]:
    when = f"WHEN {trigger.condition} " if trigger.condition else ""
    message = trigger.message.replace("'", "''")
    return [
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event} ON {trigger.table} "
        f"{when}BEGIN SELECT RAISE(ABORT, '{message}'); END"
    ]


def write_postgresql(trigger: Trigger) -> list[str]:
    """A function of its own: a WHEN clause could not look into other tables."""
    message = trigger.message.replace("'", "''")
    refuse = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation';"
    if trigger.condition:
        refuse = f"IF {trigger.condition} THEN {refuse} END IF;"
    back = "OLD" if trigger.event == "DELETE" else "NEW"
    each = "STATEMENT" if trigger.event == "TRUNCATE" else "ROW"
    return [
        f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger AS $$ "
        f"BEGIN {refuse} RETURN {'NULL' if each == 'STATEMENT' else back}; END; "
        "$$ LANGUAGE plpgsql",
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event} ON {trigger.table} "
        f"FOR EACH {each} EXECUTE FUNCTION {trigger.name}()",
    ]


WRITERS = {"sqlite": write_sqlite, "postgresql": write_postgresql}
INSTALLED = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' "
    f"AND name LIKE '{PREFIX}%'",
    "postgresql": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger "
    f"WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgname LIKE '{PREFIX}%'",
}


def find_installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers that are there, each with its table."""
    with connection.cursor() as cursor:
        cursor.execute(INSTALLED[connection.vendor])
        return dict(cursor.fetchall())


def find_missing(connection: BaseDatabaseWrapper) -> list[str]:
    wanted = {trigger.name for trigger in list_triggers(connection.vendor)}
    return sorted(wanted - find_installed(connection).keys())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take all triggers off, so that tables can be rebuilt."""
    on = "" if connection.vendor == "sqlite" else " ON {table}"
    with connection.cursor() as cursor:
        for name, table in find_installed(connection).items():
            cursor.execute(f"DROP TRIGGER {name}" + on.format(table=table))


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger on anew; in one transaction, so that none is ever missing."""
    with transaction.atomic(using=connection.alias):
        remove(connection)
        with connection.cursor() as cursor:
            for trigger in list_triggers(connection.vendor):
                for statement in WRITERS[connection.vendor](trigger):
                    cursor.execute(statement)
