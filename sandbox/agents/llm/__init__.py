"""The reasoner ``llm``: one structured call to a language model for each agent and tick.

==============  ======================================================================================
``options``     ``llm = {...}`` of a scenario
``prompts``     what is sent; the texts are files in ``prompts/``, the part that never changes comes first
``actions``     verbs as tools and schemas; a reply becomes an action, or it is said what is wrong with it
``request``     what goes to a model and what comes back, free of any client's types
``ledger``      budgets
``question``    what is being asked, until it has an answer or has failed
``reasoner``    the rounds of a tick: ask all at once, check, ask again, fall back
``clients``     who answers: ``hosted`` (pydantic-ai), ``served`` (a GGUF file), ``playback`` (script, record)
==============  ======================================================================================

Only ``hosted`` and ``served`` import clients of language models, and only when one is used.
"""
