"""Quality: what was inspected, what was wrong with it, and whether the process is under control: plain rules."""

from domain.plant.quality.chart import RANGE, SPECIFICATION, Chart, Judged, Nature, Sample, Violation
from domain.plant.quality.inspections import Defect, Inspection, Inspections, Yield, first_pass, pareto
from domain.plant.quality.limits import D2, D3, Baseline, estimated
from domain.plant.quality.quality import CHART, CHECK, KINDS, Characteristic, Quality, Said, no_characteristic
from domain.plant.quality.rows import baseline_members
from domain.plant.quality.rules import LONGEST_WINDOW, NELSON, RULES, WESTERN_ELECTRIC, Rule, violated

__all__ = [
    "CHART",
    "CHECK",
    "D2",
    "D3",
    "KINDS",
    "LONGEST_WINDOW",
    "NELSON",
    "RANGE",
    "RULES",
    "SPECIFICATION",
    "WESTERN_ELECTRIC",
    "Baseline",
    "Characteristic",
    "Chart",
    "Defect",
    "Inspection",
    "Inspections",
    "Judged",
    "Nature",
    "Quality",
    "Rule",
    "Said",
    "Sample",
    "Violation",
    "Yield",
    "baseline_members",
    "estimated",
    "first_pass",
    "no_characteristic",
    "pareto",
    "violated",
]
