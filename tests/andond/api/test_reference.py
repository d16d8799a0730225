"""The reference of the floor's REST is what the routes say of themselves."""

from pathlib import Path

from andond.api.describe import Operation
from andond.api.reference import floor_routes, rest_page

PAGE = Path(__file__).parents[3] / "docs/reference/rest.md"


def test_the_page_is_what_the_routes_generate():
    assert PAGE.read_text(encoding="utf-8") == rest_page(floor_routes())


def test_the_page_has_every_path_of_the_floor_and_what_it_answers():
    routes = [route for route in floor_routes() if not route.about.summary.startswith("Not here: ")]
    page = rest_page(routes)
    assert len(routes) > 100
    assert all(isinstance(route.about, Operation) for route in routes)
    assert all(f"| `{route.method} {route.pattern}` |" in page for route in routes)
    assert "| `GET /api/v1/jobs` | Job orders | `equipment`, `status`, `assignedTo` | a page of `Job` |" in page
    assert "| `GET /api/v1/andon/events/active` | Open Andon events |  | `AndonEvent`, several |" in page
    assert "| `GET /api/v1/site` | The site |  | `Site` |" in page
