"""What a machine's time was spent on: the time ledger, its figures after ISO 22400-2, and downtime: plain rules."""

from domain.plant.ledger.accounting import Books, Calendar
from domain.plant.ledger.asked import brings_figures, calculated
from domain.plant.ledger.bucket import STOPPED, Bucket
from domain.plant.ledger.deeds import DEEDS, Deed
from domain.plant.ledger.downtime import Done, Downtime, Piece
from domain.plant.ledger.elements import Elements, Quantity, elements_of, total
from domain.plant.ledger.figures import Window, figures
from domain.plant.ledger.instants import DAY_US, SECOND_US, parse_us, rfc3339_us, seconds_of, us_of
from domain.plant.ledger.keeping import KINDS
from domain.plant.ledger.kpi import Reach, Suggestion
from domain.plant.ledger.ledger import Entry, Kind, Ledger, NotKept, Rewritten, Segment
from domain.plant.ledger.ledgers import Ledgers, Terms, no_downtime, no_unit
from domain.plant.ledger.logclock import LogClock, Quarantine
from domain.plant.ledger.mapping import MACHINERY, MTCONNECT, PACKML, PLAIN, StateMap
from domain.plant.ledger.now import LedgersNow
from domain.plant.ledger.output import Output
from domain.plant.ledger.packml import TRANSITIONS, IllegalTransition, PackMl, PackState
from domain.plant.ledger.pasts import Past, StateTimes, report, speaker
from domain.plant.ledger.reasons import Reason, Reasons
from domain.plant.ledger.sanity import Placed, UnitClock
from domain.plant.ledger.saying import STATE_CHANGED, Saying, faults_of, saying_of
from domain.plant.ledger.statistics import statistics
from domain.plant.ledger.status import status_said
from domain.plant.ledger.stops import Counted, Stop, counted, stops_in
from domain.plant.ledger.telling import OEE_UPDATED
from domain.plant.ledger.telling import event as telling_event
from domain.plant.ledger.unit import Unit

__all__ = [
    "DAY_US",
    "DEEDS",
    "KINDS",
    "MACHINERY",
    "MTCONNECT",
    "OEE_UPDATED",
    "PACKML",
    "PLAIN",
    "SECOND_US",
    "STATE_CHANGED",
    "STOPPED",
    "TRANSITIONS",
    "Books",
    "Bucket",
    "Calendar",
    "Counted",
    "Deed",
    "Done",
    "Downtime",
    "Elements",
    "Entry",
    "IllegalTransition",
    "Kind",
    "Ledger",
    "Ledgers",
    "LedgersNow",
    "LogClock",
    "NotKept",
    "Output",
    "PackMl",
    "PackState",
    "Past",
    "Piece",
    "Placed",
    "Quantity",
    "Quarantine",
    "Reach",
    "Reason",
    "Reasons",
    "Rewritten",
    "Saying",
    "Segment",
    "StateMap",
    "StateTimes",
    "Stop",
    "Suggestion",
    "Terms",
    "Unit",
    "UnitClock",
    "Window",
    "brings_figures",
    "calculated",
    "counted",
    "elements_of",
    "faults_of",
    "figures",
    "no_downtime",
    "no_unit",
    "parse_us",
    "report",
    "rfc3339_us",
    "saying_of",
    "seconds_of",
    "speaker",
    "statistics",
    "status_said",
    "stops_in",
    "telling_event",
    "total",
    "us_of",
]
