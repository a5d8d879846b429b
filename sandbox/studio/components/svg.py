"""Puts SVG on a page: ``st.html`` removes it, so a small component shows it in the colours of the theme."""

from functools import cache

import streamlit as st

CSS = """
.drawing { color: var(--st-text-color); font-family: var(--st-font); overflow-x: auto; }
.channels { display: flex; flex-wrap: wrap; gap: 0.5rem; }
"""
JS = """export default ({ parentElement, data }) => {
  const place = parentElement.querySelector('.drawing');
  if (place.drawn !== data) place.innerHTML = place.drawn = data;
};"""


@cache
def _component():
    return st.components.v2.component("sandbox_drawing", html='<div class="drawing"></div>', css=CSS, js=JS)


def draw(svg: str, key: str) -> None:
    """Show SVG, or HTML around it, in which all foreign text is escaped. ``key`` identifies the drawing."""
    _component()(key=f"drawing.{key}", data=svg)
