"""Shows a failover: tills sell while their primary is killed, and a ledger outside of the database says what came of it.

Run by scripts/demo --failover.
"""

import contextlib

from harness.chaos import Failing, kill


def name_of(failing):
    server = failing.primary()
    return "%s (port %d)" % (server.name, server.port)


def sell(show, failing, options):
    """Tills sell; in the middle of it their primary dies, and comes back in the end. The Result, and who was killed."""
    killed = name_of(failing)
    tills = min(options.tills, 100)
    with show.step("%d tills sell for about %d s" % (tills, options.seconds)) as step:
        def strike(f):
            step.progress("SIGKILL of %s; the tills go on" % killed)
            return kill(f)
        result = failing.run(strike, tills=tills, seconds=options.seconds)
        step.note("%s was killed meanwhile, and is a replica again" % killed)
    return result, killed


def run(show, options, failure):
    with contextlib.ExitStack() as stack:
        with show.step("MariaDB: a primary and two replicas; Tillway before them") as step:
            failing = stack.enter_context(Failing())
            step.note("port %d" % failing.tillway.port)
        result, killed = sell(show, failing, options)
        show.heading("What came of it")
        show.facts([
            ("the primary was", killed),
            ("the primary is", name_of(failing)),
            ("sales acknowledged", result.acknowledged),
            ("longest pause of a till", "%.2f s" % result.pause),
            ("errors at the tills", ", ".join("%d × %s" % (n, code) for code, n in sorted(result.errors.items())) or "none"),
            ("the ledger's verdict", "; ".join(result.complaints[:10]) or "nothing lost, doubled, torn or read back in time"),
        ])
        show.heading("The cluster now")
        show.text(failing.tillway.command("cluster", "status").stdout)
        if result.complaints:
            raise failure("%d complaints of the ledger" % len(result.complaints))
