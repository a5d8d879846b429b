"""A page with a canvas and nothing else, for its tests: it shows a warehouse, and in words what was done to it."""

import json

import streamlit as st

import sandbox
from sandbox.studio.backend.camera import Camera, develop
from sandbox.studio.backend.marks import Label, Line, Message, Rect, Ring
from sandbox.studio.components.canvas import canvas

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
    env = sandbox.make("warehouse", layout="tiny", agents=4)
    kept.camera, kept.state = Camera(env, (600, 600)), env.reset([1])
    kept.first, kept.clicks, kept.click, kept.picked, kept.shot = 0, 0, None, None, None
camera, rows_and_cols = kept.camera, kept.camera.env.params.plan.shape
if kept.shot != (camera.box, camera.view):
    kept.strip = develop([camera.shoot(kept.state, 3, MARKS, still=True)], 1, kept.first, 24)
    kept.first, kept.shot = kept.first + 3, (camera.box, camera.view)
gesture = canvas(kept.strip, key="canvas")
if gesture.click:
    kept.clicks, kept.click, kept.picked = kept.clicks + 1, gesture.click, camera.nearest(gesture.click)
told = {
    "fitted": gesture.box == camera.box,
    "view": gesture.view,
    "shown": kept.strip.width,
    "pixels": kept.strip.width / kept.strip.ticks[-1].view[3],
    "clicks": kept.clicks,
    "click": kept.click,
    "picked": kept.picked,
    "places": ((kept.state.pos[0] + 0.5) / rows_and_cols).tolist(),
}
st.code(json.dumps(told), language=None)
if gesture.box and kept.shot != (gesture.box, gesture.view):
    camera.box, camera.view = gesture.box, gesture.view
    st.rerun()
