"""A page with a canvas and nothing else, for its tests: it shows a warehouse, and in words what was done to it."""

import json

import streamlit as st

import sandbox
from sandbox.fronts.studio.canvas import canvas
from sandbox.fronts.studio.show.camera import Camera, develop
from sandbox.fronts.studio.show.marks import Label, Line, Message, Rect, Ring

BLUE = "#0072b2"
MARKS = (
    Line(((1.5, 1.5), (1.5, 4.5), (3.5, 4.5)), BLUE, arrow=True),
    Ring((5.5, 4.5), BLUE, lag=(0.0, -1.0)),
    Rect((4.0, 3.0), (3.0, 3.0), BLUE, dash=True),
    Message((0.5, 0.5), (9.5, 9.5), BLUE),
    Label((5.5, 4.5), "<b>a label</b>", BLUE),
)
kept = st.session_state
if "camera" not in kept:
    stage = sandbox.make("warehouse", layout="tiny", agents=4)
    kept.camera, kept.state, kept.first, kept.clicks = Camera(stage, (600, 600)), stage.reset([1]), 0, 0
    kept.seen = None
if kept.seen != (now := (kept.camera.box, kept.camera.view)):
    kept.strip = develop([kept.camera.shoot(kept.state, 3, MARKS, still=True)], 1, kept.first, 24)
    kept.first, kept.seen = kept.first + 3, now
gesture = canvas(kept.strip, key="canvas")
picked = gesture.click and kept.camera.nearest(gesture.click)
if gesture.click:
    kept.clicks, kept.click = kept.clicks + 1, [*gesture.click, picked]
told = {"view": gesture.view, "clicks": kept.clicks, "click": kept.get("click"), "shown": kept.strip.width}
st.code(json.dumps(told), language=None)
if gesture.box and (gesture.box, gesture.view) != now:
    kept.camera.box, kept.camera.view = gesture.box, gesture.view
    st.rerun()
