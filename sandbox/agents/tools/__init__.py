"""Tools of language model agents: typed functions, which answer within the tick and do not act.

==============  ====================================================================================
``options``     ``tools = {...}`` of a scenario
``tool``        a typed function as a JSON schema; arguments checked; an error is an answer
``calculator``  arithmetic, by Monty
``retrieval``   search in a folder of documents, with file and line of each passage
``imagining``   the world model: expected returns of plans of verbs
``functions``   the user's own functions: called once, with recorded answers
``servers``     tools of MCP servers that the user's own file names: pinned, limited, with recorded answers
``toolbox``     the tools of one agent, and their faults
==============  ====================================================================================

The tool ``code``, whose programs act over the next ticks, belongs to the reasoner (``agents.llm.reasoner``).
"""
