"""Skills that are learned as programs, after Voyager (Wang and others 2023, arXiv 2305.16291).

=============  ========================================================================================
``basics``     the few functions that every skill is made of, as a program
``library``    skills that the world has verified; found by what they are described as
``curriculum`` which achievement comes next
``writer``     rules that write programs; ``prompted`` lets a language model write them
=============  ========================================================================================

``basics`` is run by programs, not imported. Where skills are tried, verified and kept is an experiment:
``sandbox.studies.skills``.
"""
