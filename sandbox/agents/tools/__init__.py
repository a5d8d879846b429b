"""Tools of language model agents: typed functions, which answer within the tick and do not act.

==============  ====================================================================================
``options``     ``tools = {...}`` of a scenario
``tool``        a typed function as a JSON schema; arguments checked; an error is an answer
``calculator``  arithmetic, by Monty
``retrieval``   search in a folder of documents, with the places of what was found
``imagining``   the world model: what plans of verbs are expected to earn
``functions``   the user's own functions: called once, their answers recorded
``faults``      the perturbations of replies, as tools show them
``toolbox``     the tools of one agent
==============  ====================================================================================

The tool ``code``, whose programs act over the next ticks, is the reasoner's own (``agents.llm.reasoner``).
"""
