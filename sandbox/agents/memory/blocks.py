"""Blocks: core memory in every prompt, recall memory of all that happened, archival memory of what the model stores.

The terms are those of MemGPT (Packer and others 2023) and Letta. When core blocks and the latest experiences fill
FULL of their part of the context, a summary replaces the older half of the experiences in the prompt; recall memory
keeps them unchanged.
"""

from collections import Counter
from typing import Annotated

from pydantic import Field

from sandbox.agents.memory import Journal
from sandbox.agents.memory.options import Block, MemoryOptions
from sandbox.agents.memory.search import Entry, Store
from sandbox.agents.memory.tokens import BYTES, clip, tokens
from sandbox.agents.memory.window import experience, told
from sandbox.core.decision import Edit
from sandbox.core.errors import UsageError, unknown

FULL = 0.9  # of the context, without the part reserved for recalled entries
PART = 8  # the summary and the recalled entries fill at most 1/PART of the context each
FOUND, SHOWN = 5, 390  # entries in the answer of a search; bytes of each

Label = Annotated[str, Field(description="the label of a block")]
Text = Annotated[str, Field(description="what to write there")]
Old = Annotated[str, Field(description="text that stands there now, exactly once")]
Query = Annotated[str, Field(description="a few words about what you look for")]


class Blocks(Journal):
    """Core, recall and archival memory of one agent."""

    def __init__(self, options: MemoryOptions):
        super().__init__()
        self._options, self.now = options, 0
        self.blocks: dict[str, Block] = {block.label: block for block in options.blocks}
        self.happened, self.archive = (Store(options.weights, options.decay, options.embedding) for _ in range(2))
        self.summary, self._latest = "", []  # experiences that are shown in full

    # -- what happens --------------------------------------------------------------------------------------------------

    def remember(self, tick: int, words: str, did: str, why: str) -> None:
        self.now = tick
        self.edit(Edit(tick, "experience", experience(words, did, why, self._options.context), did))
        if self._options.summary == "digest" and self.pressing:
            self.summarise("")

    @property
    def summary_bytes(self) -> int:
        """Maximum length of a summary, bytes."""
        return self._options.context * BYTES // PART

    @property
    def pressing(self) -> list[Edit]:
        """The experiences that a summary has to replace now; empty while all fit."""
        if len(self._latest) < 2 or tokens(self._told()) <= FULL * self._room:
            return []
        return self._latest[: len(self._latest) // 2]

    def summarise(self, text: str) -> None:
        """Replace the pressing experiences and the former summary by ``text``, or by a digest if it is empty."""
        text = clip(text or digest(self.summary, self.pressing), self.summary_bytes)
        self.edit(Edit(self.now, "summary", text, replaces=len(self.pressing)))

    def apply(self, edit: Edit) -> None:
        self.now = edit.tick
        if edit.change == "block":
            self.blocks[edit.label] = self.blocks[edit.label].model_copy(update={"value": edit.text})
        elif edit.change == "archival":
            self.archive.add(Entry(edit.tick, edit.text, edit.importance))
        else:
            self.happened.add(Entry(edit.tick, told(edit), edit.importance))
            if edit.change == "summary":
                self.summary, self._latest = edit.text, self._latest[edit.replaces :]
            else:
                self._latest = [*self._latest, edit]

    # -- text for the prompt -------------------------------------------------------------------------------------------

    def recall(self, query: str, k: int) -> list[str]:
        found = [(store, store.search(query, k, self.now)) for store in (self.archive, self.happened)]
        return [store.entries[place].text for store, places in found for place in places][:k]

    def context(self, now: str = "") -> str:
        text = self._told()
        if now and self._options.recalled:
            most = min(self._options.context // PART, self._options.context - tokens(text) - 20)
            fitting = [entry for entry in self._fitting(now) if entry not in text]
            each = most * BYTES // max(1, len(fitting)) - 1
            if fitting and each > 20:
                text += "\n\n# What comes to your mind\n" + "\n".join(clip(entry, each) for entry in fitting)
        return text

    def _fitting(self, now: str) -> list[str]:
        """Entries of archival and recall memory, alternating, the best of each first."""
        k = self._options.recalled
        both = [[store.entries[place].text for place in store.search(now, 4 * k, self.now)]
                for store in (self.archive, self.happened)]  # fmt: skip
        recent = {told(edit) for edit in self._latest}
        kept = [[text for text in texts if text not in recent] for texts in both]
        mixed = [texts[rank] for rank in range(4 * k) for texts in kept if rank < len(texts)]
        return mixed[:k]

    @property
    def _room(self) -> int:
        return self._options.context * (PART - 1) // PART

    def _told(self) -> str:
        parts = [self._core()]
        if self.summary:
            parts.append(f"# Earlier, in short\n{self.summary}")
        if self._latest:
            parts.append("# Latest\n" + "\n\n".join(map(told, self._latest)))
        return "\n\n".join(parts)

    def _core(self) -> str:
        lines = []
        for block in self.blocks.values():
            state = "read-only" if block.read_only else f"{len(block.value.encode())} of {block.limit} bytes"
            about = f": {block.description}" if block.description else ""
            lines.append(f"# Block {block.label}{about} ({state})\n{block.value}".rstrip())
        return "\n\n".join(lines)

    # -- tools of the model --------------------------------------------------------------------------------------------

    def memory_insert(self, label: Label, text: Text) -> str:
        """Add a line to the end of a block of your memory."""
        block = self._writable(label)
        return self._write(block, f"{block.value}\n{text}" if block.value else text)

    def memory_replace(self, label: Label, old: Old, new: Text) -> str:
        """Replace a piece of text in a block of your memory."""
        block = self._writable(label)
        if not old or block.value.count(old) != 1:
            raise UsageError(f"block '{label}': the old text stands there {block.value.count(old) if old else 0} times")
        return self._write(block, block.value.replace(old, new))

    def memory_rethink(self, label: Label, text: Text) -> str:
        """Write a block of your memory anew."""
        return self._write(self._writable(label), text)

    def archival_insert(self, text: Text, importance: Annotated[int, Field(ge=1, le=10)] = 5) -> str:
        """Put something away for later, however much there is; how important it is, 1 to 10."""
        text = clip(text, self._options.context * BYTES // PART)
        self.edit(Edit(self.now, "archival", text, importance=importance / 10))
        return f"put away as number {len(self.archive)}"

    def archival_search(self, query: Query) -> str:
        """Search what you have put away."""
        return self._answer(self.archive, query)

    def recall_search(self, query: Query) -> str:
        """Search all that has happened to you."""
        return self._answer(self.happened, query)

    @property
    def functions(self) -> dict:
        """The functions that the model can call, by name."""
        names = ("memory_insert", "memory_replace", "memory_rethink", "archival_insert", "archival_search",
                 "recall_search")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def _writable(self, label: str) -> Block:
        if label not in self.blocks:
            raise unknown("block", label[:40], self.blocks)
        if self.blocks[label].read_only:
            raise UsageError(f"block '{label}' is read-only")
        return self.blocks[label]

    def _write(self, block: Block, value: str) -> str:
        value = clip(value, len(value.encode("utf-8", "replace")))  # removes what is no valid Unicode
        size = len(value.encode())
        if size > block.limit:
            raise UsageError(f"block '{block.label}' would hold {size} bytes, its limit is {block.limit}; shorten it")
        self.edit(Edit(self.now, "block", value, block.label))
        return f"block '{block.label}' now holds {size} of {block.limit} bytes"

    def _answer(self, store: Store, query: str) -> str:
        found = (store.entries[place] for place in store.search(query, FOUND, self.now))
        return "\n".join(clip(f"[tick {tick}] {text}", SHOWN) for tick, text, _ in found) or "nothing found"


def digest(before: str, experiences: list[Edit]) -> str:
    """A summary made without a model: which actions, how often, and the latest reasons."""
    acts = ", ".join(f"{did} {n} x" for did, n in Counter(edit.label for edit in experiences).most_common(12))
    first, last = experiences[0].tick, experiences[-1].tick
    why = [edit.text.rsplit("\nYou did: ", 1)[-1] for edit in experiences[-3:]]
    return f"Ticks {first} to {last}: {acts}. At the end: {'; '.join(why)}\n{before}".strip()
