"""``/api/v1/jobs``: job orders after ISA-95 job control, and the same in the words of the dashboard's clients.

Rules of this file: the desk of jobs decides; a job assignment of the dashboard is a job order in other words, and what
the dashboard has no word for it does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, ActWord, ClientWords, Deed, Reading, add_acts, like
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import EQUIPMENT, PAGE
from andond.api.floor_request import Page as Cut
from andond.api.floor_request import Query, Said
from andond.api.floor_types import Page
from andond.api.job_types import Job, JobAssignment, JobChange, JobReport, JobStep, NewJob
from domain import JsonObject, JsonValue
from domain.access import Rights
from domain.plant.jobs import JobsNow, Status
from domain.plant.site import EquipmentModel
from transport import Request

TAG = "jobs"
STATUSES = [status.value for status in Status]
STATUS = Parameter("status", "Jobs of this status alone", {"type": "string", "enum": STATUSES})
ASSIGNED = Parameter("assignedTo", "Jobs of this person alone", {"type": "string"})
LINE = Parameter("line_id", "A line by its path or an alias", {"type": "string"})
USER = Parameter("user_id", "Jobs of this person alone", {"type": "string"})

ACTS = {
    "accept": ActWord("job.accept", JobStep),
    "revoke": ActWord("job.revoke", JobStep),
    "start": ActWord("job.start", JobStep),
    "pause": ActWord("job.pause", JobStep),
    "resume": ActWord("job.resume", JobStep),
    "complete": ActWord("job.complete", JobStep),
    "cancel": ActWord("job.cancel", JobStep),
    "withdraw": ActWord("job.withdraw", JobStep),
    "clear": ActWord("job.clear", JobStep),
    "update": ActWord("job.update", JobChange),
    "report": ActWord("job.report", JobReport),
}

# The words of the dashboard's clients, and ours.
_FIELDS = {
    "user_id": "assignedTo",
    "product_type_id": "product",
    "target_quantity": "quantity",
    "scheduled_start": "plannedStart",
    "scheduled_end": "plannedEnd",
}

WORDS: ClientWords = {
    **{ours: (theirs,) for theirs, ours in _FIELDS.items()},
    "equipment": ("equipment_code", "equipment_id", "line_id"),
    "description": ("title", "description"),
    "reason": ("notes", "reason"),
}


class JobResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """Job orders."""
        query = Query(request)
        page = query.page()
        rows, total = await self._jobs(query, page, query.text("equipment"), query.text("assignedTo"))
        return page.told([*rows], total)

    async def one(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One job order."""
        return await self._floor.jobs(request.rights, lambda now: now.job(id))

    async def assignments(self, request: Request) -> JsonValue:
        """Job orders in the words of the dashboard's clients."""
        query = Query(request)
        page = query.page()
        jobs, _ = await self._jobs(query, page, query.text("line_id", "equipment_code"), query.text("user_id"))
        model = self._floor.site(request.rights).equipment
        return [assignment(job, model) for job in jobs]

    async def assignment(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - as above
        """One job order in the words of the dashboard's clients."""
        job = await self._floor.jobs(request.rights, lambda now: now.job(id))
        return assignment(job, self._floor.site(request.rights).equipment)

    def act(self, type_: str, read: Reading) -> Deed:
        """An act that is told and answered in the words of the dashboard's clients."""
        return _Assign(self._floor, type_, read, look=like(NewJob if type_ == "job.store" else JobStep), words=WORDS)

    async def _jobs(
        self, query: Query, page: Cut, place: str | None, person: str | None
    ) -> tuple[list[JsonObject], int]:
        """Those of the page, and how many there are."""
        status = query.choice("status", STATUSES)
        query.check()
        path = self._floor.site(query.request.rights).equipment.path_of(place) if place else ""
        wanted = Status(status) if status else None

        def read(now: JobsNow) -> tuple[list[JsonObject], int]:
            found = now.orders(wanted, path, person)
            return now.members(page.cut(found)), len(found)

        return await self._floor.jobs(query.request.rights, read)


class _Assign(Deed):
    """An act on a job assignment."""

    async def answer(self, answered: JsonValue, rights: Rights) -> JsonValue:
        """The job order in the words of the dashboard's clients."""
        return assignment(_object(answered), self.floor.site(rights).equipment)


def stored(said: Said) -> JsonObject:
    """The arguments of a job that is told in the words of the dashboard's clients."""
    given = dict(said.arguments)
    place = given.pop("equipment_code", None) or given.pop("equipment_id", None) or given.pop("line_id", None)
    title, description = given.pop("title", None), given.pop("description", None)
    arguments: dict[str, JsonValue] = {_FIELDS.get(name, name): value for name, value in given.items()}
    arguments.setdefault("equipment", place)
    arguments["description"] = description if title is None else title
    return arguments


def _step(said: Said) -> JsonObject:
    notes = said.arguments.get("notes") or said.arguments.get("reason")
    return {} if notes is None else {"reason": notes, "comment": notes}


def assignment(job: JsonObject, model: EquipmentModel) -> JsonObject:
    """A job order in the words of the dashboard's clients."""
    path = str(job["equipment"])
    line, made = model.line_of(path), _object(job.get("made"))
    return {
        "id": job["id"],
        "job_id": job["id"],
        "line_id": line.code if line else None,
        "equipment_code": model.code_of(path),
        "user_id": job["assignedTo"],
        "status": job["status"],
        "title": job["description"],
        "description": job["description"],
        "priority": job["importance"],
        "product": job["product"],
        "target_quantity": job["quantity"],
        "actual_quantity": made.get("produced"),
        "good_quantity": made.get("good"),
        "progress": job["progress"],
        "scheduled_start": job["plannedStart"],
        "scheduled_end": job["plannedEnd"],
        "accepted_at": job["acceptedAt"],
        "started_at": job["startedAt"],
        "completed_at": job["endedAt"],
        "created_at": job["storedAt"],
        "notes": job["reason"],
    }


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    jobs = JobResource(floor)
    filters = (EQUIPMENT, STATUS, ASSIGNED, *PAGE)
    routes.add(
        "GET",
        "/jobs",
        jobs.listed,
        Operation("listJobs", "Job orders", TAG, Page[Job], query=filters, refuses=(422, 503)),
    )
    routes.add(
        "POST",
        "/jobs",
        Deed(floor, "job.store", look=like(NewJob)).plain,
        Operation("storeJob", "Store a job order", TAG, Job, NewJob, 201, refuses=REFUSES, is_act=True),
    )
    routes.add("GET", "/jobs/{id}", jobs.one, Operation("getJob", "One job order", TAG, Job, refuses=(404, 503)))
    add_acts(routes, floor, "/jobs", ACTS, Operation("job", "", TAG, Job))
    _register_dashboard(routes, jobs)


def _register_dashboard(routes: FloorRoutes, jobs: JobResource) -> None:
    filters = (LINE, USER, STATUS, *PAGE)
    for base, word in (("/job-assignments", "JobAssignment"), ("/production/job-assignments", "ProductionJob")):
        listed = Operation(f"list{word}s", "Jobs", "dashboard", list[JobAssignment], query=filters, refuses=(422, 503))
        routes.add("GET", base, jobs.assignments, listed)
        stored_ = Operation(
            f"create{word}", "Store a job", "dashboard", JobAssignment, status=201, refuses=REFUSES, is_act=True
        )
        routes.add("POST", base, jobs.act("job.store", stored).plain, stored_)
        one = Operation(f"get{word}", "One job", "dashboard", JobAssignment, refuses=(404, 503))
        routes.add("GET", f"{base}/{{id}}", jobs.assignment, one)
        for act in ("accept", "start", "pause", "resume", "complete", "cancel"):
            about = Operation(
                f"{act}{word}", act.capitalize(), "dashboard", JobAssignment, JobStep, refuses=REFUSES, is_act=True
            )
            routes.add("POST", f"{base}/{{id}}/{act}", jobs.act(f"job.{act}", _step).on, about)
    mine = Operation(
        "listMyJobs", "Jobs of a person", "dashboard", list[JobAssignment], query=filters, refuses=(422, 503)
    )
    routes.add("GET", "/jobs/my-jobs", jobs.assignments, mine)
