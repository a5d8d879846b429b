"""Skills that are learned as programs, after Voyager (Wang and others 2023, arXiv 2305.16291).

=============  ========================================================================================
``basics``     the few functions that every skill uses, as a program
``library``    skills that the world has verified, searched by their descriptions
``writer``     rules that write programs; ``prompted`` lets a language model write them
=============  ========================================================================================

``basics`` is run by programs, not imported. ``sandbox.studies.skills`` is the experiment in which skills are proposed,
tried, verified and kept.
"""
