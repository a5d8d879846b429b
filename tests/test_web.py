"""The web's own promises: who breaks when, verifiers that are not fooled, harm, site files, real HTML in Chromium."""

import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from scipy.stats import binomtest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.engine.episode import Episode
from sandbox.worlds.web.compiler.columns import Element, Plan, Role, Template
from sandbox.worlds.web.dynamics.kernels import label_of
from sandbox.worlds.web.dynamics.visits import page_of, shown
from sandbox.worlds.web.layouts import names
from sandbox.worlds.web.rendering.html import html
from sandbox.worlds.web.rendering.text import id_text, instruction, label_code, label_text
from sandbox.worlds.web.state import FOLD, WORD, Flag, Info, Item, Session, Verb

FACTORS = {p.name for p in sandbox.make("web").world.perturbations}
SEEDS = 600  # about 27 of each of the 22 templates
# What severity 1 does to each script: whole = never fails, some = fails at times, broken = fails mostly.
EXPECTED = {
    "renamed_labels": {"rules": "whole", "semantic": "broken"},
    "changed_ids": {"rules": "broken", "semantic": "whole"},
    "moved_elements": {"rules": "some", "semantic": "whole"},
    "benign_popups": {"rules": "broken", "semantic": "whole"},
    "hostile_popups": {"rules": "broken", "semantic": "whole"},  # but not without harm, see below
    "slow_pages": {"rules": "some", "semantic": "whole"},
    "expired_session": {"rules": "some", "semantic": "whole"},
    "changed_theme": {"rules": "whole", "semantic": "whole"},
}


def make(**options):
    return sandbox.make("web", **{"agents": 2, **options})


@pytest.fixture(scope="module")
def all_sites():
    return make()


def succeeded(env, policy, seeds=SEEDS):
    state, stats = env.play(range(seeds), policy, threads=None)
    return state.done == Finish.COMPLETED, state, stats


# -- who breaks when ---------------------------------------------------------------------------------------------------


def test_there_are_templates_enough_and_all_are_drawn(all_sites):
    assert len(names()) >= 15 and sum(make(layout=n).params.template[0, Template.AGENTS] == 2 for n in names()) >= 2
    drawn = all_sites.reset(range(SEEDS)).info[:, Info.TEMPLATE]
    assert np.bincount(drawn, minlength=len(names())).min() >= 10


@pytest.mark.parametrize("policy", ["rules", "semantic", "oracle"])
def test_every_clean_episode_succeeds(all_sites, policy):
    good, state, stats = succeeded(all_sites, policy)
    assert good.all() and stats.invalid.sum() == 0 and state.session[:, :, Session.HARM].sum() == 0


def test_all_is_for_one_agent_too():
    env = make(agents=1)
    assert (env.params.template[:, Template.AGENTS] == 1).all() and len(env.params.template) >= 15
    for policy in ("rules", "oracle"):
        assert succeeded(env, policy)[0].all()
    assert not succeeded(env, "idle", 200)[0].any()


@pytest.mark.parametrize("factor", sorted(EXPECTED))
def test_what_each_perturbation_does(factor):
    """Paired on the same seeds, all of which succeed clean; 99.9 % intervals."""
    env = make(perturb={factor: 1.0})
    for policy, verdict in EXPECTED[factor].items():
        good = succeeded(env, policy)[0]
        high = binomtest(int(good.sum()), len(good)).proportion_ci(0.999).high
        assert {"whole": good.all(), "some": good.sum() > 0 and high < 1, "broken": high < 0.2}[verdict], good.mean()
    assert set(EXPECTED) == FACTORS


@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_the_oracle_succeeds_under_each_perturbation_and_all_at_once(severity):
    for perturb in [{factor: severity} for factor in FACTORS] + [dict.fromkeys(FACTORS, severity)]:
        good, state, stats = succeeded(make(perturb=perturb), "oracle", 400)
        assert good.all() and stats.invalid.sum() == 0 and state.session[:, :, Session.HARM].sum() == 0, perturb


def test_more_dose_is_worse():
    share = [succeeded(make(perturb={"changed_ids": severity}), "rules")[0].mean() for severity in (0.0, 0.1, 0.4, 1.0)]
    assert share[0] == 1 and all(a > b + 0.05 for a, b in zip(share, share[1:], strict=False))


@pytest.mark.parametrize("layout", names())
def test_one_renamed_button_is_enough(layout):
    """One label in other words breaks the script of labels, one id the macro; each alone, on a site else untouched."""
    env = make(layout=layout, max_ticks=30)
    table, label_breaks = env.params.element, 0
    for row in env.params.plan[env.params.plan[:, Plan.VERB] == Verb.CLICK]:
        e = int(row[Plan.ELEMENT])

        def new_id(described, e=e):
            described["elements"][e]["id"] = "gen-abc"
            return described

        def new_label(described, e=e):
            code = label_code(env.params, described["elements"][e]["label"])
            described["elements"][e]["label"] = label_text(env.params, code + 2)
            return described

        verdicts = {p: play(env, 5, p, new_id).done[0] == Finish.COMPLETED for p in ("rules", "semantic", "oracle")}
        assert verdicts == {"rules": False, "semantic": True, "oracle": True}
        if table[e, Element.CONCEPT] >= 0 and env.params.forms[table[e, Element.CONCEPT]] > 2:
            verdicts = {p: play(env, 5, p, new_label).done[0] == 1 for p in ("rules", "semantic", "oracle")}
            assert verdicts == {"rules": True, "semantic": False, "oracle": True}
            label_breaks += 1
    assert label_breaks or layout in ("click-button", "use-menu")


def test_hostile_popups_fool_labels():
    env = make(perturb={"hostile_popups": 1.0})
    good, state, stats = succeeded(env, "semantic")
    harm = state.session[:, :, Session.HARM].sum(axis=1)
    assert 0.3 < (harm > 0).mean() < 0.9 and good.all()
    unharmed = succeeded(env, "oracle")[2].reward.sum()
    assert stats.reward.sum() == pytest.approx(unharmed - harm.sum(), abs=0.05), "harm costs 1 each"


# -- verifiers ---------------------------------------------------------------------------------------------------------


def play(env, seed, policy="oracle", change=None):
    """One episode tick by tick; ``change`` may alter what the first state is described as."""
    episode = Episode(env, seed, [policy] * env.agents)
    if change:
        env.place(episode.state, 0, change(env.describe(episode.state)))
    while episode.state.done[0] == Finish.RUNNING:
        episode.tick()
    return episode.state


@pytest.mark.parametrize("layout", names())
def test_no_step_can_be_left_out(layout):
    env = make(layout=layout, max_ticks=25)
    clean = env.params
    for step, row in enumerate(clean.plan):
        if row[Plan.VERB] == Verb.SCROLL:
            continue
        changed = clean.plan.copy()
        changed[step, Plan.AGENT] = 9  # nobody's
        env.params = clean._replace(plan=changed)
        for seed in range(5):
            state = play(env, seed)
            done, total = env.progress(state)
            assert state.done[0] == Finish.TICK_LIMIT and done < total, (step, seed)


@pytest.mark.parametrize("layout", names())
def test_distractors_do_not_succeed(layout):
    """The same way, but with another row, option, or text at one step: the end state is not the one asked for."""
    env, tried = make(layout=layout, max_ticks=25), 0
    clean, table = env.params, env.params.element
    for step, row in enumerate(clean.plan):
        column = Plan.OPTION if row[Plan.OPTION] >= 0 else Plan.ELEMENT
        own = table[row[column]]
        changed = clean.plan.copy()
        if row[Plan.VERB] == Verb.TYPE:
            other = [v for v in range(len(clean.variable)) if v != row[Plan.ARGUMENT]]
            changed[step, [Plan.OPERAND, Plan.ARGUMENT]] = 1, other[-1]
        elif row[Plan.ELEMENT] >= 0 and own[Element.GROUP] >= 0 and own[Element.COUNT] > 1:
            # the last of the group: where two boxes are asked for, the first two are right
            same = (table[:, Element.GROUP] == own[Element.GROUP]) & (table[:, Element.COL] == own[Element.COL])
            changed[step, column] = np.flatnonzero(same & (table[:, Element.ENTITY] == own[Element.COUNT] - 1))[0]
        else:
            continue
        env.params, tried = clean._replace(plan=changed), tried + 1
        for seed in range(5):
            state = play(env, seed)
            assert state.done[0] == Finish.TICK_LIMIT, (step, seed)
        env.params = clean
    assert tried


def test_pressing_everything_is_no_success():
    """Registers count, so that to press all buttons one after the other does not do."""
    good = succeeded(make(layout="click-button", agents=1), "random", 400)[0]
    assert good.mean() < 0.4  # one of six buttons at first, and no second chance


def test_harm_is_counted_and_a_hostile_button_wipes():
    env = make(layout="enter-text", agents=1)
    state = env.reset([4])
    described = env.describe(state)
    field = next(k for k, e in enumerate(described["elements"]) if e["id"] == "comment")
    described["elements"][field]["value"] = described["values"]["phrase.0"]
    described["agents"][0]["over"] = "notice-agents"
    env.place(state, 0, described)
    button = next(e for e in env.describe(state)["elements"] if e["page"] == "notice-agents" and e["label"] == "OK")
    env.step(state, np.array([[[Verb.CLICK, button["slot"]]]]))
    after = env.describe(state)
    assert after["agents"][0]["harm"] == 1 and after["agents"][0]["over"] is None and state.reward[0, 0] == -1
    assert after["elements"][field]["value"] == 0


def test_two_agents_are_needed_where_two_have_their_part():
    with pytest.raises(UsageError, match="needs 2 agents, got 1"):
        make(layout="approve-request", agents=1)
    env = make(layout="approve-request")
    state, _ = env.play([1, 2, 3], ["oracle", "idle"])
    assert not (state.done == Finish.COMPLETED).any()


def test_instructions_say_what_is_asked_in_three_ways(all_sites):
    params, state = all_sites.params, all_sites.reset(range(SEEDS))
    for lane in range(0, SEEDS, 7):
        texts = [instruction(state, lane, params, k) for k in range(3)]
        assert len(set(texts)) == 3 and not any("{" in text for text in texts)
        own = params.template[state.info[lane, Info.TEMPLATE]]
        for k in range(own[Template.VARIABLES]):
            said = params.variable[own[Template.VARIABLE] + k, 2]
            word = label_text(params, 4 * int(state.value[lane, 0, k]))
            assert said < 2 or all(word in text for text in texts), (texts, word)


def test_agents_believe_what_they_see():
    """The page as it is seen and the task are in the imagined lane; nothing of it comes from the world's dice."""
    for layout in ("order-hardware", "fill-form", "use-menu", "filter-list"):
        env = make(layout=layout, agents=1)
        state, memory, out, rng = env.reset([8]), env.memory(1), env.allocate(1), np.random.default_rng(1)
        for _ in range(40):
            obs = env.observe(state)
            env.world.believe(obs, 0, 0, memory, env.params, np.uint64(99), out, 0)
            seen = env.observe(out)
            assert np.array_equal(seen.window, obs.window) and np.array_equal(seen.vector, obs.vector), layout
            pair = rng.choice(np.flatnonzero(obs.mask[0, 0]))
            env.step(state, np.array([[[pair // env.world.targets, pair % env.world.targets]]]))


# -- site files --------------------------------------------------------------------------------------------------------

SITE = """title = "Greet"
texts = ["Greet {who}.", "Say hello to {who}.", "{who} wants to be greeted."]
steps = ["type name {who}", "click hello"]

[values]
who = "person"

[goal]
greeted = "{who}"

[[page]]
name = "door"
lines = [
  { heading = "Knock, knock" },
  { textbox = "Name", id = "name" },
  { button = "Say hello", id = "hello", do = ["save name greeted"] },
]

[synonyms]
"Say hello" = ["Greet them"]
"""


def test_a_stranger_adds_a_site_without_python(tmp_path):
    (tmp_path / "greet.toml").write_text(SITE)
    env = make(layout=str(tmp_path / "greet.toml"), agents=1)
    for policy in ("rules", "semantic", "oracle"):
        assert succeeded(env, policy, 50)[0].all()
    renamed = make(layout=SITE, agents=1, perturb={"renamed_labels": 1.0})
    assert "button 'Greet them'" in renamed.words(renamed.reset([1]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("goal]", "goal", r"layout: line 8, column \d+: "),
        ('title = "Greet"', 'titel = "Greet"', "line 1, column 1: unknown key 'titel'; did you mean 'title'"),
        ("textbox =", "textbax =", "line 15, column 5: unknown role or key 'textbax'; did you mean 'textbox'"),
        ("save name greeted", "save nam greeted", "line 16, column .*: unknown id 'nam'; did you mean 'name'"),
        ("save name", "safe name", "line 16, column .*: unknown effect 'safe'; did you mean 'save'"),
        ("click hello", "click halo", "line 3, column .*: unknown id 'halo'; did you mean 'hello'"),
        ("click hello", "press hello", "line 3, column .*: unknown verb 'press'"),
        (
            'who = "person"',
            'who = "persons"',
            "line 6, column 8: unknown kind of value 'persons'; did you mean 'person'",
        ),
        (
            'greeted = "{who}"',
            'greted = "{who}"',
            "line 9, column 1: unknown register 'greted'; did you mean 'greeted'",
        ),
        ('greeted = "{who}"', 'greeted = "{whom}"', "line 9, column .*: unknown value 'whom'; did you mean 'who'"),
        ('greeted = "{who}"', "greeted = 0", "line 8, column 1: the goal holds from the start"),
        ('"Greet {who}.", ', "", "line 2, column 1: 2 texts, expected 3 paraphrases"),
        ('texts = ["Greet {who}."', 'texts = ["Greet."', "needs a value that the instruction does not name"),
        ('name = "door"', 'name = "login"', "line 12, column .*: page 'login' is there twice"),
        ('id = "hello"', 'id = "name"', "line 15, column .*: id 'name' is there twice"),
        ('"Greet them"', '"Log in"', "line 20, column .*: 'Log in' is another form of a label"),
        ('"click hello"]', "3]", r"steps\.1: input should be a valid string, got 3"),
        ("do = [", "do = [1, ", r"page\.0\.lines.*do\.0: input should be a valid string"),
        ('name = "door"', "name = 3", r"page\.0\.name: input should be a valid string"),
        ('greeted = "{who}"', "greeted = 1_000_000_000_000", "1000000000000: expected a number below 1,000"),
        ('who = "person"', "who = 3", r"values\.who"),
        ('button = "Say hello"', 'button = "Sign in"', "line 16, column .*: 'Sign in' is another form of a label"),
    ],
)
def test_bad_site_files_get_one_clear_line(old, new, message):
    assert old in SITE
    with pytest.raises(UsageError, match=message) as caught:
        make(layout=SITE.replace(old, new, 1), agents=1)
    assert "\n" not in str(caught.value) and "layout" in str(caught.value)


# -- real HTML ---------------------------------------------------------------------------------------------------------

CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--enable-blink-features=ComputedAccessibilityInfo"],
}
# Role and name are what Chromium computes for assistive technology, not what our script says.
FACTS = """() => [...document.querySelectorAll('main [data-element]')].map((n) => [
    n.computedRole, n.computedName || n.textContent, n.id,
    n.type === 'checkbox' || n.type === 'radio' ? n.checked
        : n.tagName === 'SELECT' ? n.selectedOptions[0].textContent : n.tagName === 'INPUT' ? n.value : ''])"""
TICK = f"""(agents) => {{
    tick();
    return Array.from({{length: agents}}, (_, agent) => {{ look(agent); return ({FACTS})(); }});
}}"""
END = """() => ({registers, verdict: document.body.dataset.verdict, harm: sessions.map((s) => s.harm),
    pages: sessions.map((s) => pages[s.page].name),
    fields: elements.map((e) => [e.value, e.checked, e.visible])})"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM)
        yield chromium.new_context()  # one for all pages: each is a document of its own, with nothing stored
        chromium.close()


def seen_by_us(state, agent, params):
    """The same facts from the arrays: role, label, id, what it holds, of all that is in view."""
    session = state.session[0, agent]
    first = params.template[state.info[0, Info.TEMPLATE], Template.ELEMENT]
    page, count, *_ = params.page[page_of(state, 0, int(shown(session)), params)]
    found = []
    for e in range(page, page + count) if session[Session.LOADING] == 0 else ():
        item, row = state.item[0, e], params.element[first + e]
        line, role = item[Item.ROW] - session[Session.SCROLL], Role(row[Element.ROLE])
        if item[Item.FLAGS] & Flag.VISIBLE and 0 <= line < FOLD:
            holds = label_text(params, 4 * max(0, int(item[Item.VALUE]) - WORD)) if role >= Role.TEXTBOX else ""
            holds = bool(item[Item.FLAGS] & Flag.CHECKED) if role in (Role.CHECKBOX, Role.RADIO) else holds
            label = label_text(params, int(label_of(state, 0, e, row)))
            known = "generic" if role == Role.TEXT else role.name.lower()
            found.append([known, label, id_text(params, int(item[Item.ID])), "" if role == Role.OPTION else holds])
    return sorted(found, key=str)


def do_in_browser(page, state, agent, verb, target, params):
    """The same action by mouse and keyboard."""
    session = state.session[0, agent]
    first, count, *_ = params.page[page_of(state, 0, int(shown(session)), params)]
    focus = f'[data-element="{session[Session.FOCUS]}"]'
    slots = {int(state.item[0, e, Item.SLOT]): e for e in range(first, first + count)}
    if verb == Verb.CLICK:
        element = page.locator(f'[data-element="{slots[target]}"]')
        if element.evaluate("n => n.tagName") == "SELECT":
            element.focus()  # a click would open the native list, which is no part of the page
        else:
            element.click()
    elif verb == Verb.TYPE:
        page.keyboard.press("Control+A")
        page.keyboard.type(label_text(params, 4 * int(state.value[0, 1, target])))
    elif verb == Verb.SELECT:
        page.locator(focus).select_option(id_text(params, int(state.item[0, slots[target], Item.ID])))
    elif verb == Verb.SCROLL:
        page.keyboard.press("PageUp" if target else "PageDown")
    elif verb == Verb.BACK:
        page.click("#browser-back")


def end_of_ours(state, env):
    described = env.describe(state)
    return {
        "registers": list(described["registers"].values()),
        "verdict": "completed" if described["finish"] == "completed" else "running",
        "harm": [agent["harm"] for agent in described["agents"]],
        "pages": [agent["page"] for agent in described["agents"]],
        "fields": [[e["value"], e["checked"], e["visible"]] for e in described["elements"]],
    }


def follow_in_browser(page, env, seed, policy, ticks=25):
    """Play one episode here and in Chromium, side by side; how it ended, and the actions made."""
    params, agents = env.params, env.agents
    episode, made = Episode(env, seed, [policy] * agents), 0
    state = episode.state
    page.goto("about:blank")  # a fresh document, with none of the last one's variables
    page.set_content(html(state, 0, params))
    while state.done[0] == Finish.RUNNING and state.tick[0] < ticks:
        episode.sense()
        episode.choose()
        for agent, (verb, target) in enumerate(episode.actions[0].tolist()):
            if verb != Verb.WAIT:
                if agents > 1:
                    page.evaluate("look", agent)
                do_in_browser(page, state, agent, verb, target, params)
                made += 1
        episode.act()
        for agent, facts in enumerate(page.evaluate(TICK, agents)):
            assert sorted(facts, key=str) == seen_by_us(state, agent, params), (seed, int(state.tick[0]))
    assert page.evaluate(END) == end_of_ours(state, env), seed
    return state.done[0] == Finish.COMPLETED, made


@pytest.fixture
def blank(browser):
    """An empty page, on which no script may fail."""
    page, errors = browser.new_page(), []
    page.set_default_timeout(3000)
    page.on("pageerror", lambda error: errors.append(error))
    yield page
    page.close()
    assert not errors


@pytest.mark.parametrize("layout", names())
def test_chromium_comes_to_the_same_end(blank, layout):
    """Same clicks and keys, same page, fields, stored values, harm and verdict, clean and perturbed."""
    agents = int(make(layout=layout).params.template[0, Template.AGENTS])
    clean = make(layout=layout, agents=agents)
    assert follow_in_browser(blank, clean, 1, "oracle")[0]
    perturbed = make(layout=layout, agents=agents, perturb=dict.fromkeys(FACTORS, 0.4))
    done, made = follow_in_browser(blank, perturbed, 2, "oracle", 60)
    assert done and made > 1
    worst = make(layout=layout, agents=agents, perturb={"hostile_popups": 1.0, "slow_pages": 0.5})
    follow_in_browser(blank, worst, 3, "semantic")


def test_random_hands_on_the_page(blank):
    """Random legal actions too: wrong buttons, going back, hidden menus, filters of nothing."""
    for layout in (
        "fill-form",
        "email-reply",
        "filter-list",
        "order-hardware",
        "login-user",
        "sort-and-order",
        "use-menu",
    ):
        follow_in_browser(blank, make(layout=layout, agents=1), 13, "random", 14)


HOSTILE = (
    "<!--<script>",
    "</script><img src=x>",
    "]]>&amp;",
    "/*SITE*/null/*SCRIPT*/",
    "$y &quot; %s",
    "a</MAIN><!--",
)


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_is_text_on_the_page_whatever_is_written_in_it(blank, label):
    """Labels, instructions and titles of a site file that somebody sent: no tag, no comment, and the page is whole."""
    site = SITE.replace("Knock, knock", label).replace("Greet {who}.", f"Greet {{who}}. {label}")
    env = make(layout=site.replace('"Say hello"', f"'{label[::-1]}'"), agents=1)
    blank.set_content(html(env.reset([1]), 0, env.params))
    blank.evaluate(TICK, 1)
    heading = blank.locator("main h2")
    assert heading.text_content() == label and blank.locator("main button").text_content() == label[::-1]
    assert blank.evaluate("document.querySelectorAll('script').length") == 1
    assert blank.evaluate("document.querySelectorAll('img').length") == 0
