"""Commands of schedules: what is done when, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from factory import schedule
from factory.cli.console import AsJson, key_value, open_house, print_json, print_line, say
from factory.due import ScheduleRefused, check_times
from factory.schedule import Ran, next_run
from factory.slot_duties import KINDS, checked_options
from factory.store import schedules
from factory.store.columns import utc_now
from factory.store.schedules import CatchUp, ScheduleEntry, Slot

app = typer.Typer()
schedule_app = typer.Typer(no_args_is_help=True, help="What is done when. Example: factory schedule list")
app.add_typer(schedule_app, name="schedule")

Name = Annotated[str, typer.Argument(help="name of the schedule")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would be made")]


@schedule_app.command("add")
def add_command(
    name: Name,
    duty: Annotated[str, typer.Option(help=", ".join(KINDS))],
    cron: Annotated[str, typer.Option(help="minute hour day month weekday, as in '30 2 * * *'")],
    zone: Annotated[str, typer.Option(help="time zone of these times, as Asia/Shanghai")] = "UTC",
    why: Annotated[str, typer.Option(help="for the people who read the list")] = "",
    catch_up: Annotated[CatchUp, typer.Option(help="moments missed while nothing ran: skip, latest or all")] = "latest",
    most: Annotated[int, typer.Option(min=1, max=100, help="moments made up for at most, with --catch-up all")] = 10,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="of clean: cache_days, outputs_days, history_days")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Do something again and again. Example: factory schedule add tidy --duty clean --cron "0 4 * * 0" """
    if duty not in KINDS:
        raise ScheduleRefused(f"there is no duty {duty[:80]!r}", next_step=f"choose one of {', '.join(KINDS)}")
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        raise ScheduleRefused(
            f"{name[:80]!r} cannot be the name of a schedule", next_step="use up to 40 letters, digits, - and _"
        )
    check_times(cron, zone)
    options = checked_options(duty, dict(key_value(text) for text in sets or ()))
    house, now = open_house(), utc_now()
    entry = ScheduleEntry(name, duty, cron, zone, why, False, catch_up, most, options)
    if not dry_run:
        with house.sessions.write() as session:
            schedules.add(session, entry)
            schedule.start_with_next(session, entry, now, "before it was set up")
    print_line(f"{name}  next {_moment(next_run(entry, now))}")


@schedule_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List schedules with their next moment. Example: factory schedule list"""
    now = utc_now()
    with open_house().sessions.read() as session:
        entries = [(entry, schedules.history(session, entry.name, limit=1)) for entry in schedules.every(session)]
    if as_json:
        print_json([_record(entry, slots[0] if slots else None, now) for entry, slots in entries])
        return
    for entry, slots in entries:
        after = "paused" if entry.paused else f"next {_moment(next_run(entry, now))}"
        last = f"last {_moment(slots[0].due_at)} {slots[0].state}" if slots else "never ran"
        print_line(f"{entry.name:<20} {entry.task:<14} {entry.cron:<14} {entry.zone:<14} {after}  {last}  {entry.why}")


@schedule_app.command("pause")
def pause_command(name: Name) -> None:
    """Let a schedule rest. Example: factory schedule pause nightly-rankings"""
    with open_house().sessions.write() as session:
        schedules.set_paused(session, name, True)
    print_line(f"{name} is paused")


@schedule_app.command("resume")
def resume_command(name: Name) -> None:
    """Let a schedule go on with its next moment. Example: factory schedule resume nightly-rankings"""
    now = utc_now()
    with open_house().sessions.write() as session:
        schedule.resume(session, name, now)
        entry = schedules.known(session, name)
    print_line(f"{name}  next {_moment(next_run(entry, now))}")


@schedule_app.command("run")
def run_command(name: Name, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Do the duty of a schedule now. Example: factory schedule run nightly-rankings --dry-run"""
    house, now = open_house(), utc_now()
    if dry_run:
        _tell({"schedule": name, "dry_run": True, "report": schedule.would_do(house, name, now)}, as_json=as_json)
        return
    ran = schedule.run_now(house, name, now)
    _tell(_ran(ran), as_json=as_json)
    if ran.state == "failed":
        with house.sessions.read() as session:
            say(schedules.history(session, name, limit=1)[0].note)
        raise typer.Exit(1)


@schedule_app.command("remove")
def remove_command(name: Name) -> None:
    """Take a schedule away with its history. Example: factory schedule remove tidy"""
    with open_house().sessions.write() as session:
        schedules.remove(session, name)
    print_line(f"{name} is gone")


@schedule_app.command("history")
def history_command(
    name: Annotated[str | None, typer.Argument(help="of this schedule only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Tell what became of each moment, newest first. Example: factory schedule history nightly-rankings --json"""
    with open_house().sessions.read() as session:
        if name is not None:
            schedules.known(session, name)
        slots = schedules.history(session, name, limit=limit)
    if as_json:
        print_json([_slot(slot) for slot in slots])
        return
    for slot in slots:
        print_line(f"{_moment(slot.due_at)}  {slot.schedule:<20} {slot.state:<8} {slot.jobs:>3} jobs  {slot.note}")


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    for key, value in told["report"].items():
        if isinstance(value, list | tuple):
            print_line(f"{key}: {len(value)}")
            for item in value:
                print_line("  " + ("  ".join(map(str, item.values())) if isinstance(item, dict) else str(item)))
        else:
            print_line(f"{key}: {value}")


def _record(entry: ScheduleEntry, last: Slot | None, now: datetime) -> dict[str, Any]:
    upcoming = next_run(entry, now)
    return {
        "schedule": entry.name,
        "duty": entry.task,
        "cron": entry.cron,
        "zone": entry.zone,
        "why": entry.why,
        "paused": entry.paused,
        "catch_up": entry.catch_up,
        "most": entry.most,
        "options": dict(entry.options),
        "next": None if upcoming is None else upcoming.isoformat(),
        "last": None if last is None else _slot(last),
    }


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "schedule": slot.schedule,
        "due_at": slot.due_at.isoformat(),
        "taken_at": slot.taken_at.isoformat(),
        "ended_at": None if slot.ended_at is None else slot.ended_at.isoformat(),
        "state": slot.state,
        "attempt": slot.attempt,
        "jobs": slot.jobs,
        "note": slot.note,
        "report": dict(slot.report),
    }


def _ran(ran: Ran) -> dict[str, Any]:
    return {"schedule": ran.schedule, "due_at": ran.due_at.isoformat(), "state": ran.state, "report": ran.report}


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%MZ}"
