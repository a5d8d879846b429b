"""The reasoner ``llm``: one structured call to a language model for each agent and tick.

==============  ======================================================================================
``options``     ``llm = {...}`` of a scenario
``examples``    worked decisions, for base models
``prompts``     what is sent; the texts are files in ``prompts/``, the part that never changes comes first
``actions``     verbs as tools and schemas; turns a reply into an action, or an error for the model
``parsing``     finds reasoning, objects and calls in replies
``request``     requests and replies, independent of any client's types
``budget``      budgets
``reasoner``    the rounds of a tick: ask all at once, check, ask again, fall back
``clients``     makes a client: ``hosted`` (pydantic-ai), ``local_server`` (a GGUF file), ``offline`` (script, record)
``gemma``       the weights of the model ``gemma``
==============  ======================================================================================

Only ``hosted``, ``compatible`` and ``local_server`` import clients of language models, and only when one is used.
"""
