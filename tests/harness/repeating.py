"""Something done again and again in a thread, beside what a test does."""

import threading


class Repeating(threading.Thread):
    """`with` runs it; each turn is self.turn(), after a pause of so many seconds."""

    def __init__(self, pause):
        super().__init__(daemon=True)
        self._pause, self._ended = pause, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self._ended.set()
        self.join()

    def run(self):
        while not self._ended.wait(self._pause):
            self.turn()

    def turn(self):
        raise NotImplementedError
