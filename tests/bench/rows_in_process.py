"""What cdp_bench measures by itself, on a data folder that it makes or on none."""

import shutil

from rig import Row, measure


def in_process(rig, command, rows, **options):
    """`rows`: each with the names of its figure and of its peer's in what the command prints."""
    for _ in rig.runs(command):
        into = rig.path(command)
        done = rig.bench(command, "--folder", into, *(part for name, value in options.items()
                                                      for part in (f"--{name}", value)))
        for row, ours, peer in rows:
            row.add(done[ours], done[peer])
        shutil.rmtree(into)
    return [row for row, _, _ in rows]


@measure("ledger_verify", "ledger_proof")
def ledger(rig):
    return in_process(rig, "ledger", [
        (Row("ledger_verify", "entries/s", "OpenSSL's SHA-256 over the same messages", "≥ 0.7"),
         "per_second", "openssl_per_second"),
        (Row("ledger_proof", "proofs/s", "OpenSSL's SHA-256 over the nodes that it makes again"),
         "proofs_per_second", "openssl_proofs_per_second")], entries=rig.sizes.some)


@measure("rewrap")
def rewrap(rig):
    return in_process(rig, "rewrap", [
        (Row("rewrap", "subjects/s of CPU", "XChaCha20-Poly1305 alone: open and seal 32 B", "≥ 0.5"),
         "per_second", "aead_per_second")], subjects=rig.sizes.some)


@measure("restore")
def restore(rig):
    return in_process(rig, "restore", [
        (Row("restore", "events/s", "copying the same files with OpenSSL's SHA-256 and fsync", "≥ 0.5"),
         "per_second", "copied_per_second")], events=rig.sizes.some)


def alone(name, command, unit, goal):
    @measure(name)
    def run(rig):
        row = Row(name, unit, "goal", goal)
        for _ in rig.runs(name):
            row.add(rig.bench(command)["per_second"])
        return row
    return run


alone("gate", "gate", "decisions/s", "≥ 2e6")
alone("tcf_parse", "tcf", "strings/s", "≥ 1e6")
alone("gpp_parse", "gpp", "strings/s", "≥ 1e6")
