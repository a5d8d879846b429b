"""The rounds of a tick: call the model for all agents at once, check every reply, retry, or fall back.

A round's answers are taken in the order of the agents, and the next round begins when all have arrived. So nothing
depends on the order of arrival: neither actions, nor repeated questions, nor shares of a budget. A tool answers between
two rounds, and its answer is part of the next request.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.agents.context import AgentContext
from sandbox.agents.llm.actions import Actions, Choice, ToolCall, Unusable
from sandbox.agents.llm.budget import Ledger, Worst
from sandbox.agents.llm.options import Options
from sandbox.agents.llm.prompts import SUMMARY_TOOL, Prompts, summary_in
from sandbox.agents.llm.request import Answer, Client, Request, Setup
from sandbox.agents.memory.window import told
from sandbox.agents.programs.api import ProgramRunner
from sandbox.agents.tools.toolbox import CODE
from sandbox.core.decision import Call, Decision, Percept, Trace

# -- question: open until it has an answer or has failed

ACT, JUDGE, SUMMARY = "act", "judge", "summary"


class Question:
    """One sample of one agent's decision, the judge's choice between samples, or a summary for memory."""

    def __init__(self, percept: Percept, told: str, sample: int, kind: str = ACT):
        self.percept, self.told, self.sample, self.kind = percept, told, sample, kind
        self.prompt = told  # includes the error of the last reply
        self.attempt = 0  # requests so far: failed attempts, and uses of tools
        self.failures, self.used = 0, 0  # how many of each
        self.wait, self.tokens = 0.0, 0
        self.calls: list[Call] = []
        self.choice: Choice | None = None
        self.actor: ProgramRunner | None = None  # the program whose first action the choice is
        self.text = ""  # a summary
        self.failure = ""

    @property
    def open(self) -> bool:
        return self.choice is None and not self.text and not self.failure

    @property
    def judges(self) -> bool:
        return self.kind == JUDGE


class Asked(NamedTuple):
    """A request of a round, with all agents that ask it."""

    request: Request
    worst: Worst
    questions: list[Question]


# -- reasoner

GIVE_UP = 3  # ticks in a row without any reply, after which the model is asked no more in this episode
BACK_OFF = 0.5  # seconds before the first retry after an error, doubled for each further one


class LLM:
    """The reasoner of a group of agents that share a language model.

    ``decide`` answers for all of them: with an action, with the no-op while a decision takes its time (``thinking``),
    or with verb None and the reason if the agent's fallback must act. It raises SandboxError only: if the model
    cannot be asked at all, or a record lacks a call. ``minds`` are the contexts of the agents.
    """

    def __init__(
        self, options: Options, prompts: Prompts, setup: Setup, client: Client, noop: int,
        minds: dict[int, AgentContext]
    ):  # fmt: skip
        self.setup, self._options, self._prompts, self._client, self._noop = setup, options, prompts, client, noop
        self.minds = minds
        self._views: dict[int, str] = {}  # percepts of agents in this tick, as text
        self._asides: dict[int, list[Call]] = {}  # calls for summaries, in this tick
        self._ledger = Ledger(options.budget, setup)
        self._due: dict[int, tuple[int, Decision]] = {}  # decisions whose thinking time is not over
        self._subgoals: dict[int, str] = {}  # sub-goals that agents have set themselves
        self._silent = 0  # ticks in a row without any reply

    @property
    def functions(self) -> dict[str, dict]:
        """Descriptions of the user's functions by full name; the same for all agents of the group."""
        return next(iter(self.minds.values())).tools.described

    def retire(self, agents: Sequence[int]) -> dict[int, AgentContext]:
        """Give up these agents; returns their contexts, for a successor. With no agent left, the model is closed."""
        gone = {agent: self.minds.pop(agent) for agent in agents}
        if not self.minds:
            self._client.close()
        return gone

    def close(self) -> None:
        for mind in self.minds.values():
            mind.close()
        self._client.close()

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        ready = [percept for percept in percepts if percept.agent not in self._due]
        self._begin(ready)
        programs = {p.agent: decision for p in ready if (decision := self._go_on(p))}
        questions = {p.agent: self._questions(p) for p in ready if p.agent not in programs and p.mask.sum() > 1}
        self._work([question for own in questions.values() for question in own])
        if self._options.choose == "judge":
            self._judge(questions)
        return [
            self._kept(p.agent, programs.get(p.agent) or self._decision(p, questions.get(p.agent))) for p in percepts
        ]

    def _begin(self, percepts: list[Percept]) -> None:
        """Start a tick: a model that writes its own summaries is asked for those that are due."""
        self._views, asked = {}, []
        for percept in percepts:
            mind = self.minds[percept.agent]
            mind.begin(percept)
            if mind.summarises and mind.memory.pressing:
                words = "\n\n".join([mind.memory.summary, *map(told, mind.memory.pressing)])
                prompt = self._prompts.summary(words, mind.memory.summary_bytes)
                asked.append(Question(percept, prompt, self._options.samples + 1, SUMMARY))
        self._work(asked)
        for question in asked:
            self.minds[question.percept.agent].memory.summarise(question.text)
        self._asides = {question.percept.agent: question.calls for question in asked}

    def _view(self, percept: Percept) -> str:
        if percept.agent not in self._views:
            self._views[percept.agent] = self._prompts.words(percept, self.minds[percept.agent].speech)
        return self._views[percept.agent]

    def _go_on(self, percept: Percept) -> Decision | None:
        """The next action of an agent's program, if one is running."""
        mind = self.minds[percept.agent]
        if not mind.busy:
            return None
        if decision := mind.go_on():
            self._remember(percept, Choice(decision.verb, decision.target, "as your program does"))
        return decision

    def _questions(self, percept: Percept) -> list[Question]:
        words, mind = self._view(percept), self.minds[percept.agent]
        memory = mind.memory.context(words)
        if news := mind.told_news():
            words = f"{words}\n\n{news}"
        prompt = self._prompts.turn(words, self._subgoals.get(percept.agent, ""), memory, percept.tick + 1)
        return [Question(percept, prompt, sample) for sample in range(self._options.samples)]

    def _judge(self, questions: dict[int, list[Question]]) -> None:
        """Best of n: if samples differ, one more question asks which of the proposals to take."""
        asked = []
        for own in questions.values():
            choices = list({q.choice[:2]: q.choice for q in own if q.choice}.values())
            if len(choices) > 1:
                percept = own[0].percept._replace(mask=self._actions.only(choices))
                own.append(Question(percept, self._prompts.judge(own[0].told, choices), len(own), JUDGE))
                asked.append(own[-1])
        self._work(asked)

    # -- asking --------------------------------------------------------------------------------------------------------

    def _work(self, questions: list[Question]) -> None:
        """Ask in rounds until no question is open. Each attempt is one request; the number of attempts is bounded."""
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
        """The requests of the next round, in order: as many as fit the budget in the worst case.

        The others wait for the real cost of this round. A question that does not fit fails if no request is
        in progress.
        """
        found: dict[str, Asked] = {}
        for question in waiting:
            request = self._prompts.request(
                self.setup, question.percept, question.prompt, question.sample, question.attempt, self._extras(question)
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

    def _extras(self, question: Question) -> list[dict]:
        """The tools that may be used now, besides the verbs."""
        if question.kind == SUMMARY:
            return [SUMMARY_TOOL]
        return self.minds[question.percept.agent].extras_now if self._may_use(question) else []

    def _may_use(self, question: Question) -> bool:
        return not question.judges and question.used < self._options.tool_calls

    def _receive(self, asked: Asked, answer: Answer) -> None:
        """Pass a reply on to the ledger, the agents and the record; all replies come through here."""
        request = asked.request
        *tokens, money = self._ledger.settle(asked.worst, answer)
        problem, read = [self._take(question, answer, tokens[1]) for question in asked.questions][0]
        reply = answer.reply and {name: part for name, part in answer.reply._asdict().items() if part}
        asked.questions[0].calls.append(Call(
            request.tick, request.agent, request.sample, request.attempt, request.key, request.prompt, reply,
            problem, answer.retry, *tokens, money, answer.seconds, read, answer.without, answer.outage, answer.began,
        ))  # fmt: skip

    def _take(self, question: Question, answer: Answer, tokens: int) -> tuple[str, str]:
        """Turn an answer into an action, or prepare the next attempt; returns the error, and how the reply was read."""
        problem, again = answer.error, answer.retry
        question.tokens += tokens
        if answer.reply is not None:
            try:
                said, read = self._actions.read(answer.reply, question.percept.mask, self._options.hosted)
                self._apply(question, said)
                return "", read
            except Unusable as error:
                problem, again = str(error), True
                question.prompt = self._prompts.repair(question.told, problem, question.percept.mask)
        question.attempt, question.failures = question.attempt + 1, question.failures + 1
        question.wait = max(answer.wait, BACK_OFF * 2 ** (question.failures - 1)) if answer.reply is None else 0.0
        if not again or question.failures > self._options.retries:
            question.failure = problem
        return problem, ""

    def _apply(self, question: Question, said: Choice | ToolCall) -> None:
        """Take an action as the choice; after a tool, ask again with its answer in the prompt. Raises Unusable."""
        if question.kind == SUMMARY:
            question.text = summary_in(said)
        elif isinstance(said, Choice):
            question.choice = said
        elif not self._may_use(question):
            raise Unusable("no more tools can be used in this tick; act now")
        else:
            question.used, question.wait = question.used + 1, 0.0
            answer = self._answer(question, said)
            if question.choice is None:
                left = self._options.tool_calls - question.used
                question.told = question.prompt = self._prompts.answered(question.told, said, answer, left)
                question.attempt += 1

    def _answer(self, question: Question, call: ToolCall) -> str:
        """The answer of a tool; the first action of a program becomes the choice."""
        percept = question.percept
        mind = self.minds[percept.agent]
        if call.name != CODE:
            return mind.tools.call(call.name, call.arguments, percept.tick)
        begun, answer = mind.start(call.arguments)
        if begun:
            question.actor, first = begun
            question.choice = Choice(first.verb, first.target, "as your program does")
        return answer

    @property
    def _actions(self) -> Actions:
        return self._prompts.actions

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _decision(self, percept: Percept, questions: list[Question] | None) -> Decision:
        if percept.agent in self._due:
            due, decision = self._due[percept.agent]
            return self._due.pop(percept.agent)[1] if percept.tick >= due else Decision(self._noop, chosen=False)
        if questions is None:  # no choice: one action only is legal
            verb, target = divmod(int(percept.mask.argmax()), self._actions.targets)
            self._remember(percept, Choice(verb, target, "nothing else was possible"))
            return Decision(verb, target, chosen=False)
        calls = tuple(call for question in questions for call in question.calls)
        choices = [question.choice for question in questions if question.choice]
        if not choices:
            self._remember(percept, None, questions[0].failure)
            return Decision(None, 0, Trace(calls=calls, fallback=questions[0].failure))
        choice = choices[-1] if questions[-1].judges and questions[-1].choice else most_frequent(choices)
        self._subgoals[percept.agent] = choice.subgoal or self._subgoals.get(percept.agent, "")
        self._run(percept, choice, questions)
        late, thought = self._ticks(questions), (choice.reason, self._subgoals[percept.agent])
        self._remember(percept, choice, f"in effect {late} ticks later" if late else "")
        if not late:
            return Decision(choice.verb, choice.target, Trace(*thought, calls))
        self._due[percept.agent] = percept.tick + late, Decision(*choice[:2], Trace(*thought, late=late))
        return Decision(self._noop, 0, Trace(calls=calls), chosen=False)

    def _run(self, percept: Percept, choice: Choice, questions: list[Question]) -> None:
        """Keep the program that the choice comes from; close the others."""
        mind = self.minds[percept.agent]
        for question in questions:
            if question.actor and question.choice[:2] == choice[:2] and not mind.busy:
                mind.keep(question.actor)
            elif question.actor:
                question.actor.program.close()

    def _remember(self, percept: Percept, choice: Choice | None, note: str = "") -> None:
        mind = self.minds[percept.agent]
        if mind.remembers:
            did = self._actions.named(choice) if choice else "nothing; your fallback acted"
            why = "; ".join(part for part in (choice.reason if choice else "", note) if part)
            mind.memory.remember(percept.tick + 1, self._view(percept), did, why)

    def _kept(self, agent: int, decision: Decision) -> Decision:
        """The decision with the agent's messages and memory edits of this tick."""
        mind, asides = self.minds[agent], tuple(self._asides.get(agent, ()))
        edits = mind.memory.taken()
        if mind.speech:
            decision = decision._replace(said=mind.speech.taken())
        if not edits and not asides:
            return decision
        trace = decision.trace or Trace()
        return decision._replace(trace=trace._replace(edits=edits, calls=asides + trace.calls))

    def _ticks(self, questions: list[Question]) -> int:
        """Ticks that the decision takes: samples are written in parallel, then the judge reads them all."""
        thinking = self._options.thinking
        if thinking.tokens_per_tick:
            tokens = max(q.tokens for q in questions if not q.judges) + sum(q.tokens for q in questions if q.judges)
            return tokens // thinking.tokens_per_tick
        return thinking.ticks


def most_frequent(choices: list[Choice]) -> Choice:
    """The action that most samples agree on, the earliest of equals (self-consistency, Wang and others 2023)."""
    (action, _), *_ = Counter(choice[:2] for choice in choices).most_common()
    return next(choice for choice in choices if choice[:2] == action)
