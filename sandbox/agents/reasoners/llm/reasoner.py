"""The rounds of a tick: ask for all agents at once, check every reply, ask again where it is of no use, or fall back.

A round's answers are taken in the order of the agents, and the next round begins when all are there. So nothing depends
on which reply comes first: not the actions, not what is asked again, and not who gets the rest of a budget.
"""

from collections import Counter
from typing import NamedTuple

from sandbox.agents.reasoners.llm.actions import Actions, Choice, Unusable
from sandbox.agents.reasoners.llm.ledger import Ledger, Worst
from sandbox.agents.reasoners.llm.options import Options
from sandbox.agents.reasoners.llm.prompts import Prompts
from sandbox.agents.reasoners.llm.request import Answer, Client, Request, Setup
from sandbox.core.decision import Call, Decision, Percept, Trace

GIVE_UP = 3  # ticks in a row without any reply, after which the model is asked no more in this episode
BACK_OFF = 0.5  # seconds before the first retry after an error, doubled for each further one


class Question:
    """One sample of one agent's decision, or the judge's of all of them: open until it has an action or has failed."""

    def __init__(self, percept: Percept, told: str, sample: int, judges: bool = False):
        self.percept, self.told, self.sample, self.judges = percept, told, sample, judges
        self.prompt = told  # with what was wrong with the last reply
        self.attempt, self.wait, self.tokens = 0, 0.0, 0
        self.calls: list[Call] = []
        self.choice: Choice | None = None
        self.failure = ""

    @property
    def open(self) -> bool:
        return self.choice is None and not self.failure


class Asked(NamedTuple):
    """A request of a round, and everyone who asks just that."""

    request: Request
    worst: Worst
    questions: list[Question]


class LLM:
    """A group of agents that a language model decides for.

    ``decide`` answers for all of them: with an action, with the no-op while a decision takes its time (``thinking``),
    or with verb None and the reason where the agent's fallback must act. Only SandboxError escapes it: the model
    cannot be asked at all, or a record lacks a call.
    """

    def __init__(self, options: Options, prompts: Prompts, setup: Setup, client: Client, noop: int):
        self.setup, self._options, self._prompts, self._client, self._noop = setup, options, prompts, client, noop
        self._ledger = Ledger(options.budget, setup)
        self._due: dict[int, tuple[int, Decision]] = {}  # decisions that are still being thought about
        self._subgoals: dict[int, str] = {}  # that agents have set themselves
        self._silent = 0  # ticks in a row without any reply

    def close(self) -> None:
        self._client.close()

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        questions = {p.agent: self._questions(p) for p in percepts if p.agent not in self._due and p.mask.sum() > 1}
        self._work([question for own in questions.values() for question in own])
        if self._options.choose == "judge":
            self._judge(questions)
        return [self._decision(percept, questions.get(percept.agent)) for percept in percepts]

    def _questions(self, percept: Percept) -> list[Question]:
        prompt = self._prompts.turn(self._prompts.words(percept), self._subgoals.get(percept.agent, ""))
        return [Question(percept, prompt, sample) for sample in range(self._options.samples)]

    def _judge(self, questions: dict[int, list[Question]]) -> None:
        """Best of n: where samples differ, one more question, with the proposals as all that may be chosen."""
        asked = []
        for own in questions.values():
            choices = list({q.choice[:2]: q.choice for q in own if q.choice}.values())
            if len(choices) > 1:
                percept = own[0].percept._replace(mask=self._actions.only(choices))
                own.append(Question(percept, self._prompts.judge(own[0].told, choices), len(own), judges=True))
                asked.append(own[-1])
        self._work(asked)

    # -- asking --------------------------------------------------------------------------------------------------------

    def _work(self, questions: list[Question]) -> None:
        """Rounds until no question is open; each attempt is one request, and attempts are bounded."""
        if self._silent >= GIVE_UP:
            for question in questions:
                question.failure = f"no reply in {GIVE_UP} ticks in a row; the model is asked no more"
            return
        replies, tried = 0, 0
        while waiting := [question for question in questions if question.open]:
            round_ = self._admit(waiting)
            if not round_:
                continue
            answers = self._client.ask([asked.request for asked in round_], self._ledger.left)
            for asked, answer in zip(round_, answers, strict=True):
                self._receive(asked, answer)
            self._ledger.waited(max(answer.seconds for answer in answers))
            tried, replies = tried + len(answers), replies + sum(answer.reply is not None for answer in answers)
        if tried:
            self._silent = 0 if replies else self._silent + 1

    def _admit(self, waiting: list[Question]) -> list[Asked]:
        """The requests of the next round, in order: as many as the budget holds in the worst case.

        The rest waits until this round has come cheaper; whoever finds no room with nothing on its way fails.
        """
        found: dict[str, Asked] = {}
        for question in waiting:
            request = self._prompts.request(
                self.setup, question.percept, question.prompt, question.sample, question.attempt
            )._replace(wait=question.wait)
            if request.key in found:
                found[request.key].questions.append(question)
            elif self._ledger.reserve(worst := self._ledger.worst(request)):
                found[request.key] = Asked(request, worst, [question])
            elif found:
                break
            else:
                question.failure = "the budget is spent"
        return list(found.values())

    def _receive(self, asked: Asked, answer: Answer) -> None:
        """The one place where replies come in: the ledger and the record take them, then those who asked."""
        request = asked.request
        *tokens, money = self._ledger.settle(asked.worst, answer)
        problems = [self._take(question, answer, tokens[1]) for question in asked.questions]
        reply = answer.reply and {name: part for name, part in answer.reply._asdict().items() if part}
        asked.questions[0].calls.append(Call(
            request.tick, request.agent, request.sample, request.attempt, request.key, request.prompt, reply,
            problems[0], answer.retry, *tokens, money, answer.seconds,
        ))  # fmt: skip

    def _take(self, question: Question, answer: Answer, tokens: int) -> str:
        """Make an action of an answer, or the next attempt; returns what was wrong with it."""
        problem, again = answer.error, answer.retry
        question.tokens += tokens
        if answer.reply is not None:
            try:
                question.choice = self._actions.read(answer.reply, question.percept.mask, self._options.hosted)
                return ""
            except Unusable as error:
                problem, again = str(error), True
                question.prompt = self._prompts.repair(question.told, problem, question.percept.mask)
        question.attempt += 1
        question.wait = max(answer.wait, BACK_OFF * 2 ** (question.attempt - 1)) if answer.reply is None else 0.0
        if not again or question.attempt > self._options.retries:
            question.failure = problem
        return problem

    @property
    def _actions(self) -> Actions:
        return self._prompts.actions

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _decision(self, percept: Percept, questions: list[Question] | None) -> Decision:
        if percept.agent in self._due:
            due, decision = self._due[percept.agent]
            return self._due.pop(percept.agent)[1] if percept.tick >= due else Decision(self._noop)
        if questions is None:  # there is nothing to choose
            verb, target = divmod(int(percept.mask.argmax()), self._actions.targets)
            return Decision(verb, target)
        calls = tuple(call for question in questions for call in question.calls)
        choices = [question.choice for question in questions if question.choice]
        if not choices:
            return Decision(None, 0, Trace(calls=calls, fallback=questions[0].failure))
        choice = choices[-1] if questions[-1].judges and questions[-1].choice else most_frequent(choices)
        self._subgoals[percept.agent] = choice.subgoal or self._subgoals.get(percept.agent, "")
        late, thought = self._ticks(questions), (choice.reason, self._subgoals[percept.agent])
        if not late:
            return Decision(choice.verb, choice.target, Trace(*thought, calls))
        self._due[percept.agent] = percept.tick + late, Decision(*choice[:2], Trace(*thought, late=late))
        return Decision(self._noop, 0, Trace(calls=calls))

    def _ticks(self, questions: list[Question]) -> int:
        """How long the decision takes: samples are written side by side, and the judge reads them all."""
        thinking = self._options.thinking
        if thinking.tokens_per_tick:
            tokens = max(q.tokens for q in questions if not q.judges) + sum(q.tokens for q in questions if q.judges)
            return tokens // thinking.tokens_per_tick
        return thinking.ticks


def most_frequent(choices: list[Choice]) -> Choice:
    """The action that most samples agree on, the earliest of equals (self-consistency, Wang and others 2023)."""
    (action, _), *_ = Counter(choice[:2] for choice in choices).most_common()
    return next(choice for choice in choices if choice[:2] == action)
