"""The office in words, and what to try."""

from sandbox.core.setup import Try

RULES = """Cases arrive, such as purchase orders, and go from one activity to the next. Some are done by people at their
posts, some by partners outside; the agents do those of the team. Work items lie in the trays of the team's board. An
agent takes one onto its desk, matches its documents, and completes it, or rejects it, asks for a correction, escalates
it to a manager, or hands it over. All work takes minutes, and people work in shifts. What counts is that every case is
closed correctly: nothing is paid that is not right, and nothing is rejected without a reason."""
TRIES = (
    Try("A clerk that checks every rule: where do the cases wait?", {"policy": "rules"}),
    Try("A recorded bot that does not look, and invoices that come twice: what does it pay?",
        {"policy": "macro", "severity.duplicate": "0.4"}),
    Try("Requests that cannot be met: who rejects them?", {"policy": "rules", "severity.infeasible_request": "0.5"}),
    Try("A manager who takes ten times as long: what is escalated, and what waits?",
        {"policy": "rules", "severity.slow_approver": "1.0"}),
)  # fmt: skip
