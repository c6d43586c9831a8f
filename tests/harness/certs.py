"""Certificates for tests: an authority, and what it issues, made by the openssl program."""

import os
import subprocess


def _openssl(*words):
    done = subprocess.run(["openssl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise AssertionError("openssl %s: %s" % (words[0], done.stderr))
    return done.stdout


class Authority:
    """A certificate authority in a folder of its own: `pem` is its certificate."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.name = name
        self.pem = os.path.join(folder, name + ".pem")
        self._key = os.path.join(folder, name + ".key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", "/O=Shop/CN=" + name, "-keyout", self._key, "-out", self.pem)

    def issue(self, name, hosts=("localhost", "127.0.0.1"), file=None):
        """Certificate and key in one file; its path."""
        base = os.path.join(self.folder, file or name)
        request, key, certificate, both = (base + end for end in (".csr", ".key", ".crt", ".pem"))
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/C=DK/O=Shop/CN=" + name,
                 "-keyout", key, "-out", request)
        names = ",".join(("IP:" if h[0].isdigit() else "DNS:") + h for h in hosts)
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=%s\n" % names)
        _openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self._key, "-CAcreateserial", "-days", "30",
                 "-extfile", base + ".ext", "-out", certificate)
        with open(both + ".new", "w") as out:
            for part in (certificate, key):
                with open(part) as f:
                    out.write(f.read())
        os.replace(both + ".new", both)
        return both


def fingerprint(pem):
    """SHA-256 of the first certificate in a file, as hexadecimal digits."""
    text = _openssl("x509", "-in", pem, "-noout", "-fingerprint", "-sha256")
    return text.split("=")[1].strip().replace(":", "").lower()
