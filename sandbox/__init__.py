from sandbox.engine.stage import Stage, make
