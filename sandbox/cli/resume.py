"""The command ``sandbox resume``: continue a run that ended too early."""

from sandbox.cli._compiling import warm_up
from sandbox.cli._episode import watch
from sandbox.cli._options import FPS, Allow, Fps, Run, Set, Video, granted, overrides
from sandbox.cli._video import check_video


def resume(folder: Run, set_: Set = None, video: Video = None, fps: Fps = FPS, allow: Allow = None) -> None:
    """Continue a run that was killed, stopped or failed, from its last recorded tick; --set changes its settings."""
    from sandbox.record import open_run
    from sandbox.running import resume as resuming
    from sandbox.scenario.capabilities import calls, configured, record
    from sandbox.scenario.change import changed

    check_video(video)
    changes = overrides(set_)
    grant = granted(allow, changes)
    with open_run(folder) as begun:
        chosen = changed(resuming.scenario_now(begun, record(folder, configured() + grant)), changes)
    chosen.origin.check(calls(chosen))
    warm_up(chosen, pictures=bool(video))
    watch(folder, chosen, video, fps, lambda live, people: resuming.resume(folder, changes, live, people, grant))
