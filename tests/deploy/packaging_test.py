#!/usr/bin/python3
"""What the packages and images are made of: units, users, folders, configuration, container files. What they
do together is tried by deploy/dev/packages-test, which installs them in a machine of its own.

The binaries come from WARPBOOK_BINARY and WARPBOOK_SETTLEMENT_BINARY."""

import configparser
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
DEPLOY = os.path.join(ROOT, "deploy")
SYSTEMD = os.path.join(DEPLOY, "systemd")
# As `systemd-analyze security` counts them, and deploy/OPERATIONS.md says; 10 is everything open.
EXPOSURE_MAX = {"warpbook.service": "1.2", "warpbook-settlement.service": "0.9",
                "warpbook-migrate.service": "0.9", "warpbook-backup.service": "0.9"}
SETTING = re.compile(r"(#?)([a-z][a-z0-9-]*) = (.+)")


def read(*names):
    with open(os.path.join(DEPLOY, *names), encoding="utf-8") as file:
        return file.read()


def run(command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60, **options)


class TestCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="warpbook-packaging-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class UnitsTest(TestCase):
    def unit(self, name):
        """A unit's sections, each {key: [values]}."""
        text = read("systemd", name).replace("\\\n", " ")
        sections, current = {}, None
        for line in text.splitlines():
            if line.startswith("["):
                current = sections.setdefault(line.strip("[]"), {})
            elif line and not line.startswith("#"):
                key, value = line.split("=", 1)
                current.setdefault(key, []).append(value.strip())
        return sections

    def test_every_unit_is_what_systemd_understands(self):
        paths = []
        for path in glob.glob(f"{SYSTEMD}/*.service") + glob.glob(f"{SYSTEMD}/*.timer"):
            # The programs are not installed here; what their lines say is not judged by them.
            text = re.sub(r"/usr/s?bin/warpbook[a-z-]*", "/bin/true", read("systemd", path))
            paths.append(self.write(os.path.basename(path), text))
        self.assertEqual(len(paths), 5)
        ended = run(["systemd-analyze", "verify", "--man=no", *paths])
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))

    def test_every_service_is_as_closed_as_it_is_said_to_be(self):
        services = {os.path.basename(path) for path in glob.glob(f"{SYSTEMD}/*.service")}
        self.assertEqual(services, set(EXPOSURE_MAX))
        told = dict(re.findall(r"^\| `([a-z-]+\.service)` \| ([0-9.]+) \|", read("OPERATIONS.md"),
                               re.M))
        self.assertEqual(told, EXPOSURE_MAX)
        for name, exposure in EXPOSURE_MAX.items():
            with self.subTest(name=name):
                ended = run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                             f"--threshold={round(float(exposure) * 10)}", f"{SYSTEMD}/{name}"])
                self.assertRegex(ended.stdout + ended.stderr,
                                 rf"Overall exposure level for {re.escape(name)}: {exposure} ")
                self.assertEqual(ended.returncode, 0)

    def test_a_drain_is_over_before_systemd_kills(self):
        drain = int(dict(settings("warpbook.conf"))["drain-seconds"])
        self.assertGreater(int(self.unit("warpbook.service")["Service"]["TimeoutStopSec"][0]),
                           2 * drain)

    def test_what_is_wrong_with_the_configuration_ends_the_tries(self):
        for name in ("warpbook.service", "warpbook-settlement.service"):
            service = self.unit(name)["Service"]
            self.assertEqual(service["Restart"], ["on-failure"])
            self.assertEqual(service["RestartPreventExitStatus"], ["2"])
            self.assertTrue(service["ExecStartPre"][0].endswith("--check-config"))

    def test_only_the_exchange_writes_the_journal(self):
        """Settlement writes its cursor, where the exchange's own protection has it."""
        self.assertEqual(self.unit("warpbook.service")["Service"]["StateDirectory"], ["warpbook"])
        for name in sorted(set(EXPOSURE_MAX) - {"warpbook.service"}):
            service = self.unit(name)["Service"]
            self.assertNotIn("StateDirectory", service)
            writable = service.get("ReadWritePaths", [])
            self.assertNotIn("/var/lib/warpbook", writable)
            self.assertNotIn("/var/lib/warpbook/journal", writable)

    def test_secrets_are_handed_over_and_not_read(self):
        for name in EXPOSURE_MAX:
            service = self.unit(name)["Service"]
            self.assertIn("-/etc/warpbook/secrets", " ".join(service["InaccessiblePaths"]).split())
            for line in service["ExecStart"] + service.get("ExecStartPre", []):
                self.assertNotIn("/etc/warpbook/secrets", line)

    def test_user_and_folders_are_those_of_the_units(self):
        ended = run(["systemd-sysusers", "--dry-run", f"{SYSTEMD}/warpbook.sysusers"])
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("u warpbook - ", read("systemd", "warpbook.sysusers"))
        lines = [line.split() for line in read("systemd", "warpbook.tmpfiles").splitlines()
                 if line and not line.startswith("#")]
        for line in lines:
            self.assertRegex(" ".join(line),
                             r"^d /(var/lib|var/backups|etc)/warpbook\S* 0\d{3} (warpbook warpbook|root root) -$")
        folders = {line[1]: line[2:4] for line in lines}
        self.assertEqual(folders["/etc/warpbook/secrets"], ["0700", "root"])
        self.assertEqual(folders["/var/lib/warpbook/journal/cursors"], ["0750", "warpbook"])
        for name in EXPOSURE_MAX:
            service = self.unit(name)["Service"]
            self.assertEqual((service["User"], service["Group"]), (["warpbook"], ["warpbook"]))

    def test_what_is_for_journald_and_logrotate_is_well_formed(self):
        parser = configparser.ConfigParser()
        parser.optionxform = str
        parser.read_string(read("systemd", "journald-warpbook.conf"))
        self.assertLessEqual({"SystemMaxUse", "SystemKeepFree", "RateLimitBurst"},
                             set(parser["Journal"]))
        self.assertIn("copytruncate", read("logrotate", "warpbook"))
        if shutil.which("logrotate") is None:
            return  # of the group dev
        log = self.write("log/a.log", "x\n")
        text = read("logrotate", "warpbook").replace("/var/log/warpbook", os.path.dirname(log))
        text = re.sub(r"su warpbook warpbook\n", "", text)
        ended = run(["logrotate", "--debug", "--state", os.path.join(self.folder, "state"),
                     self.write("conf", text)])
        self.assertEqual(ended.returncode, 0, ended)
        self.assertNotIn("error", ended.stderr)


def settings(name):
    """(key, value) of every line of an example, in order, commented out or not."""
    return [(match.group(2), match.group(3)) for match in
            map(SETTING.fullmatch, read("config", name).splitlines()) if match]


def options_of(program):
    """{option: its default, or None} of `PROGRAM serve`."""
    help_text = run([program, "serve", "--help"]).stdout
    found = {}
    for name, rest in re.findall(r"^  --([a-z][a-z0-9-]*)(.*)$", help_text, re.M):
        kind = rest.split("(Env:")[0].strip()
        if not kind:
            found[name] = "false"
        else:
            found[name] = kind.partition("=")[2] or None
    return {name: default for name, default in found.items()
            if name not in ("config", "check-config")}


class ConfigurationTest(TestCase):
    PROGRAMS = {"warpbook.conf": "WARPBOOK_BINARY",
                "warpbook-settlement.conf": "WARPBOOK_SETTLEMENT_BINARY"}

    def test_every_option_is_there_once_with_its_default(self):
        for name, program in self.PROGRAMS.items():
            with self.subTest(name=name):
                options = options_of(os.environ[program])
                self.assertGreater(len(options), 8)
                keys = [key for key, _ in settings(name)]
                self.assertEqual(sorted(keys), sorted(options))
                text = read("config", name)
                for key, value in settings(name):
                    if re.search(rf"^#{re.escape(key)} = ", text, re.M) and options[key] is not None:
                        self.assertEqual(value, options[key], key)

    def test_each_has_a_sentence_and_those_without_a_default_say_so(self):
        for name, program in self.PROGRAMS.items():
            options, comment, told = options_of(os.environ[program]), "", ""
            for line in read("config", name).splitlines():
                match = SETTING.fullmatch(line)
                if match:
                    # Keys that stand together share what is said above them.
                    told = comment or told
                    self.assertRegex(told, r"[.:]", line)
                    if options[match.group(2)] is None:
                        self.assertRegex(told, r"No default\.|Default: ", line)
                    comment = ""
                elif line.startswith("# "):
                    comment += line[1:]
                else:
                    comment, told = "", ""

    def installed(self, name, change=lambda text: text):
        """An example as a package puts it, with everything that it names in the test's folder."""
        etc = os.path.join(self.folder, "etc")
        if not os.path.isdir(etc):
            os.makedirs(os.path.join(etc, "secrets"))
            shutil.copy(os.path.join(ROOT, "schema/catalogue/catalogue.conf"), etc)
            for key in ("operator", "settlement"):
                made = run([os.environ["WARPBOOK_BINARY"], "keys", "new",
                            os.path.join(etc, "secrets", f"{key}.pem")])
                self.write(f"etc/{key}.pub", made.stdout)
            self.write("etc/secrets/database", "host=127.0.0.1 dbname=warpbook\n")
        text = change(read("config", name)).replace("/etc/warpbook", etc)
        return self.write(f"etc/{name}", text)

    def check(self, name, change=lambda text: text):
        return run([os.environ[self.PROGRAMS[name]], "serve", "--config",
                    self.installed(name, change), "--check-config"])

    def test_they_are_right_as_they_are_installed(self):
        for name in self.PROGRAMS:
            with self.subTest(name=name):
                ended = self.check(name)
                self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)

    def test_they_stay_right_when_every_default_is_written_out(self):
        for name, program in self.PROGRAMS.items():
            options = options_of(os.environ[program])

            def write_out(text, options=options):
                return re.sub(r"^#([a-z][a-z0-9-]*) = ",
                              lambda match: match.group().lstrip("#")
                              if options.get(match.group(1)) is not None else match.group(),
                              text, flags=re.M)
            with self.subTest(name=name):
                ended = self.check(name, write_out)
                self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)

    def test_a_key_that_is_no_option_is_refused(self):
        for name in self.PROGRAMS:
            with self.subTest(name=name):
                ended = self.check(name, lambda text: text + "\nno-such-key = 1\n")
                self.assertEqual(ended.returncode, 2, ended)
                self.assertIn("no-such-key", ended.stderr)


class PackagesTest(TestCase):
    def test_every_file_that_is_installed_is_there(self):
        text = read("packaging", "packaging.cmake")
        text = text.replace("${CMAKE_SOURCE_DIR}", ROOT).replace("${WARPBOOK_DEPLOY}", DEPLOY)
        text = text.replace("${WARPBOOK_PACKAGING}", f"{DEPLOY}/packaging")
        paths = re.findall(rf"{re.escape(ROOT)}/[\w./-]+", text)
        self.assertGreater(len(paths), 20)
        for path in paths:
            self.assertTrue(os.path.exists(path), path)

    def test_what_is_installed_into_etc_is_a_conffile(self):
        for package, names in (("warpbook", ["catalogue.conf", "warpbook.conf"]),
                               ("warpbook-settlement", ["warpbook-settlement.conf"])):
            self.assertEqual(read("packaging", package, "conffiles").splitlines(),
                             [f"/etc/warpbook/{name}" for name in names])

    def test_maintainer_scripts_never_delete_a_journal_that_is_there(self):
        """Their own text is run, on folders of the test's."""
        script = read("packaging/warpbook/postrm")
        for kept in (True, False):
            with self.subTest(kept=kept):
                root = os.path.join(self.folder, str(kept))
                for folder in ("var/lib/warpbook/journal/archive", "etc/warpbook/secrets",
                               "var/backups/warpbook"):
                    os.makedirs(os.path.join(root, folder))
                for name in ("etc/warpbook/warpbook.conf", "etc/warpbook/secrets/operator.pem"):
                    self.write(f"{kept}/{name}", "x")
                if kept:
                    self.write(f"{kept}/var/lib/warpbook/journal/archive/00000001.segment", "x")
                moved = re.sub(r"(?<![\w.])/(var|etc|run)/", rf"{root}/\1/", script)
                ended = run(["sh", "-c", moved, "postrm", "purge"])
                self.assertEqual(ended.returncode, 0, ended)
                self.assertFalse(os.path.exists(f"{root}/etc/warpbook/warpbook.conf"))
                self.assertEqual(os.path.exists(f"{root}/var/lib/warpbook"), kept)
                self.assertEqual(os.path.exists(f"{root}/etc/warpbook/secrets/operator.pem"), kept)
                self.assertEqual("kept: the journal" in ended.stdout, kept)


class ContainerTest(TestCase):
    def stages(self):
        """{name: its instructions, [(word, rest)]}, with those of the stage that it is made from."""
        text = re.sub(r"\\\n\s*", " ", read("container", "Containerfile"))
        found, name = {}, None
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            word, rest = line.split(maxsplit=1)
            if word == "FROM":
                source, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
                found[name] = list(found.get(source, []))
            if name:
                found[name].append((word, rest))
        return found

    def test_programs_run_as_nobody_of_note_and_say_whether_they_are_ready(self):
        stages = self.stages()
        for name in ("exchange", "settlement"):
            instructions = stages[name]
            users = [rest for word, rest in instructions if word == "USER"]
            self.assertEqual(users[-1:], ["7400:7400"])
            after = instructions[[word for word, _ in instructions].index("USER"):]
            self.assertNotIn("RUN", [word for word, _ in after])
            checks = [rest for word, rest in instructions if word == "HEALTHCHECK"]
            self.assertRegex(checks[-1], r'CMD \["healthcheck", "740[12]"\]')
            self.assertIn(("STOPSIGNAL", "SIGTERM"), instructions)
            copied = [rest for word, rest in instructions if word in ("COPY", "ADD")]
            self.assertEqual(copied, ["--chmod=755 deploy/container/healthcheck "
                                      "/usr/local/bin/healthcheck"])
            environment = " ".join(rest for word, rest in instructions if word in ("ENV", "ARG"))
            self.assertNotRegex(environment, r"(?i)password|secret|\.pem")
        self.assertIn("GET /readyz ", read("container", "healthcheck"))

    def test_what_is_copied_from_the_checkout_is_there(self):
        for word, rest in sum(self.stages().values(), []):
            if word == "COPY" and not rest.startswith("."):
                source = [part for part in rest.split() if not part.startswith("--")][0]
                self.assertTrue(os.path.exists(os.path.join(ROOT, source)), source)
        with open(os.path.join(ROOT, ".dockerignore"), encoding="utf-8") as file:
            self.assertLessEqual({".git", ".var", "build", "deploy/container/.secrets"},
                                 set(file.read().split()))

    def test_the_market_of_containers_is_closed(self):
        compose = yaml.safe_load(read("container", "compose.yaml"))
        services = compose["services"]
        self.assertEqual(set(services), {"exchange", "migrate", "settlement", "postgres",
                                         "prometheus"})
        self.assertTrue(compose["networks"]["market"]["internal"])
        for name, service in services.items():
            self.assertNotIn("privileged", service)
            self.assertLessEqual(set(service["networks"]), {"market", "clients"})
            self.assertEqual("clients" in service["networks"], name == "exchange")
            self.assertLessEqual(set(service.get("secrets", [])), set(compose["secrets"]))
            for port in service.get("ports", []):
                self.assertEqual(port, "127.0.0.1:7400:7400")
            if name != "postgres":
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
            for mount in service.get("volumes", []):
                source = mount.split(":")[0]
                if source.startswith("."):
                    self.assertTrue(os.path.exists(os.path.join(DEPLOY, "container", source)), mount)
                else:
                    self.assertIn(source, compose["volumes"])

    def test_prometheus_there_asks_the_same_jobs(self):
        there, here = (yaml.safe_load(read(*name)) for name in
                       (("container", "prometheus.yml"), ("prometheus", "prometheus.yml")))
        jobs = [[job["job_name"] for job in file["scrape_configs"]] for file in (there, here)]
        self.assertEqual(*jobs)


if __name__ == "__main__":
    unittest.main(verbosity=2)
