"""Where the events of a Sigma log source lie in our tables, and under which name each of its fields.

In goes a log source (product, category, service), out come `Source`s: a table, the condition that picks the events, and
the names. It is closed: a log source that is not here, and a field that a source does not have, is refused, never guessed.
Windows events lie as the shipped mapping `windows_events` stores them; of Linux the tables `Syslog` and `LinuxAuditLog`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from workbench.base.dtypes import ScalarType
from workbench.collect import mapping

_SYSMON_LOG = "Microsoft-Windows-Sysmon/Operational"
_SYSMON_EVENTS: Mapping[str, tuple[int, ...]] = {
    "process_creation": (1,), "file_change": (2,), "network_connection": (3,), "sysmon_status": (4, 16),
    "process_termination": (5,), "driver_load": (6,), "image_load": (7,), "create_remote_thread": (8,),
    "raw_access_thread": (9,), "process_access": (10,), "file_event": (11,), "registry_add": (12,), "registry_delete": (12,),
    "registry_set": (13,), "registry_rename": (14,), "registry_event": (12, 13, 14), "create_stream_hash": (15,),
    "pipe_created": (17, 18), "wmi_event": (19, 20, 21), "dns_query": (22,), "file_delete": (23, 26),
    "clipboard_capture": (24,), "process_tampering": (25,), "file_block_executable": (27,), "file_block_shredding": (28,),
    "file_executable_detected": (29,), "sysmon_error": (255,),
}  # fmt: skip
_SYSMON_NAMES = """
    RuleName UtcTime ProcessGuid ProcessId Image FileVersion Description Product Company OriginalFileName CommandLine
    CurrentDirectory User LogonGuid LogonId TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId
    ParentImage ParentCommandLine ParentUser TargetFilename CreationUtcTime PreviousCreationUtcTime Protocol Initiated
    SourceIsIpv6 SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6 DestinationIp DestinationHostname
    DestinationPort DestinationPortName State Version SchemaVersion ImageLoaded Signed Signature SignatureStatus
    SourceProcessGuid SourceProcessGUID SourceProcessId SourceImage TargetProcessGuid TargetProcessGUID TargetProcessId
    TargetImage NewThreadId StartAddress StartModule StartFunction Device SourceThreadId GrantedAccess CallTrace SourceUser
    TargetUser EventType TargetObject Details NewName Hash Contents PipeName Operation EventNamespace Name Query Type
    Destination Consumer Filter QueryName QueryStatus QueryResults IsExecutable Archived Session ClientInfo Configuration
    ConfigurationFileHash ID
"""
_SYSMON_FIELDS = frozenset(_SYSMON_NAMES.split())
_HASHES = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "imphash": "IMPHASH"}
_REGISTRY = {"registry_add": "CreateKey", "registry_delete": "Delete"}
_POWERSHELL = {
    "ps_script": ("Microsoft-Windows-PowerShell/Operational", 4104),
    "ps_module": ("Microsoft-Windows-PowerShell/Operational", 4103),
    "ps_classic_start": ("Windows PowerShell", 400),
    "ps_classic_provider_start": ("Windows PowerShell", 600),
}
_CHANNELS: Mapping[str, tuple[str, ...]] = {
    "system": ("System",), "application": ("Application",), "sysmon": (_SYSMON_LOG,),
    "powershell": ("Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"),
    "powershell-classic": ("Windows PowerShell",), "windefend": ("Microsoft-Windows-Windows Defender/Operational",),
    "taskscheduler": ("Microsoft-Windows-TaskScheduler/Operational",), "wmi": ("Microsoft-Windows-WMI-Activity/Operational",),
    "ntlm": ("Microsoft-Windows-NTLM/Operational",), "dns-server": ("DNS Server",),
    "dns-client": ("Microsoft-Windows-DNS Client Events/Operational",), "bits-client": ("Microsoft-Windows-Bits-Client/Operational",),
    "codeintegrity-operational": ("Microsoft-Windows-CodeIntegrity/Operational",),
    "firewall-as": ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall",),
    "applocker": (
        "Microsoft-Windows-AppLocker/EXE and DLL", "Microsoft-Windows-AppLocker/MSI and Script",
        "Microsoft-Windows-AppLocker/Packaged app-Deployment", "Microsoft-Windows-AppLocker/Packaged app-Execution",
    ),
    "appxdeployment-server": ("Microsoft-Windows-AppXDeploymentServer/Operational",), "openssh": ("OpenSSH/Operational",),
    "msexchange-management": ("MSExchange Management",), "printservice-admin": ("Microsoft-Windows-PrintService/Admin",),
    "printservice-operational": ("Microsoft-Windows-PrintService/Operational",),
    "terminalservices-localsessionmanager": ("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",),
    "smbclient-security": ("Microsoft-Windows-SmbClient/Security",), "capi2": ("Microsoft-Windows-CAPI2/Operational",),
    "ldap": ("Microsoft-Windows-LDAP-Client/Debug",), "lsa-server": ("Microsoft-Windows-LSA/Operational",),
    "iis-configuration": ("Microsoft-IIS-Configuration/Operational",),
    "security-mitigations": ("Microsoft-Windows-Security-Mitigations/Kernel Mode", "Microsoft-Windows-Security-Mitigations/User Mode"),
}  # fmt: skip
_4688 = {
    "Image": "NewProcessName", "ParentImage": "ParentProcessName", "CommandLine": "CommandLine",
    "ProcessId": "NewProcessId", "ParentProcessId": "ProcessId", "LogonId": "SubjectLogonId",
}  # fmt: skip
_SYSLOG_PROGRAMS = {
    "sshd": ("sshd",), "sudo": ("sudo",), "cron": ("cron", "CRON", "crond"), "vsftpd": ("vsftpd",), "clamav": ("clamd", "freshclam", "clamav"),
    "guacamole": ("guacd",), "syslog": (), "auth": (),
}  # fmt: skip
_AUDIT_FIELDS = frozenset(
    {*(f"a{i}" for i in range(10)), "acct", "addr", "arch", "argc", "auid", "cmd", "comm", "cwd", "data", "egid", "euid",
     "exe", "exit", "family", "gid", "group", "hostname", "key", "name", "op", "path", "pid", "ppid", "res", "result", "ses",
     "success", "syscall", "terminal", "tty", "uid", "user", "RecordType"}
)  # fmt: skip
"""Fields of audit records that are columns of LinuxAuditLog."""
_AUDIT = {"type": "RecordType", "SYSCALL": "syscall"}
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Source:
    """A table, the condition of its events, what a field is there (None: it has none), and where words are looked for."""

    table: str
    condition: str
    field: Callable[[str], str | None]
    words: tuple[str, ...]
    numbers: frozenset[str] = frozenset({"EventID"})


def sources_of(product: str | None, category: str | None, service: str | None) -> tuple[Source, ...]:
    """The places where events of a log source are; none where it has no counterpart.

    Examples
    --------
    >>> sources_of("windows", "registry_set", None)[0].condition
    'EventLog == "Microsoft-Windows-Sysmon/Operational" and EventID == 13'
    >>> sources_of("windows", None, "security")[0].field("TargetUserName")
    'TargetUserName'
    >>> sources_of("macos", "process_creation", None)
    ()
    """
    if product == "windows":
        return _windows(category, service)
    if product == "linux" and category is None:
        return _linux(service)
    return ()


# ---- Windows ----------------------------------------------------------------------------------


def _windows(category: str | None, service: str | None) -> tuple[Source, ...]:
    if category is None:
        if service == "security":
            return (_security("", _security_field),)
        channels = _CHANNELS.get(service or "")
        return (_event(_in("EventLog", channels), _event_field),) if channels else ()
    if category in _POWERSHELL:
        log, number = _POWERSHELL[category]
        return (_event(f'EventLog == "{log}" and EventID == {number}', _event_field),)
    events = _SYSMON_EVENTS.get(category)
    if events is None or service not in (None, "sysmon"):
        return ()
    chosen = f"EventID == {events[0]}" if len(events) == 1 else f"EventID in ({', '.join(map(str, events))})"
    condition = f'EventLog == "{_SYSMON_LOG}" and {chosen}'
    if category in _REGISTRY:
        # Some forwarders put their own EventType over that of Sysmon, which is in the message all the same.
        word = _REGISTRY[category]
        condition += f' and (tostring(EventData.EventType) startswith "{word}" or RenderedDescription contains "EventType: {word}")'
    found = [_event(condition, _sysmon_field)]
    if category == "process_creation":
        found.append(_security("EventID == 4688", _4688_field))
    return tuple(found)


def _event(condition: str, field: Callable[[str], str | None]) -> Source:
    return Source("Event", condition, field, ("RenderedDescription", "tostring(EventData)"))


def _security(condition: str, field: Callable[[str], str | None]) -> Source:
    numbers = frozenset(n for n, t in _security_columns().items() if t in (ScalarType.INT, ScalarType.LONG))
    return Source("SecurityEvent", condition, field, ("RenderedDescription", "tostring(EventData)"), numbers)


_SHARED = {
    "eventid": "EventID", "computer": "Computer", "computername": "Computer", "hostname": "Computer",
    "channel": "EventLog", "provider_name": "Source", "source": "Source", "message": "RenderedDescription",
}  # fmt: skip


def _event_field(name: str) -> str | None:
    return _SHARED.get(name.lower()) or (f"tostring(EventData.{name})" if _FIELD.fullmatch(name) else None)


def _sysmon_field(name: str) -> str | None:
    if name in _SYSMON_FIELDS:
        return f"tostring(EventData.{name})"
    if name.lower() in _HASHES:
        return f'extract("{_HASHES[name.lower()]}=([0-9A-Fa-f]+)", 1, tostring(EventData.Hashes))'
    return _SHARED.get(name.lower())


def _security_field(name: str) -> str | None:
    return _SHARED.get(name.lower()) or (name if name in _security_columns() else _event_field(name))


def _4688_field(name: str) -> str | None:
    return _4688.get(name) or _SHARED.get(name.lower())


@cache
def _security_columns() -> Mapping[str, ScalarType]:
    """The columns that events of the channel Security have, as the shipped mapping stores them."""
    shipped = mapping.load("windows_events")
    table = next(t for t in shipped.tables if t.table == "SecurityEvent")
    return {name: type_ or ScalarType.STRING for name, type_ in table.layout().items() if name != table.rest}


# ---- Linux ------------------------------------------------------------------------------------


def _linux(service: str | None) -> tuple[Source, ...]:
    if service == "auditd":
        return (Source("LinuxAuditLog", "", _audit_field, ("RawRecord",), frozenset()),)
    if service is not None and service not in _SYSLOG_PROGRAMS:
        return ()
    condition = 'Facility in ("auth", "authpriv")' if service == "auth" else ""
    programs = _SYSLOG_PROGRAMS.get(service or "", ())
    if programs:
        condition = _in("ProcessName", programs)
    return (Source("Syslog", condition, _syslog_field, ("SyslogMessage",), frozenset()),)


def _audit_field(name: str) -> str | None:
    known = _AUDIT.get(name, name)
    return known if known in _AUDIT_FIELDS else None


def _syslog_field(name: str) -> str | None:
    known = {
        "message": "SyslogMessage", "syslogmessage": "SyslogMessage", "program": "ProcessName", "facility": "Facility",
        "severity": "SeverityLevel", "host": "Computer", "hostname": "Computer", "computer": "Computer",
    }  # fmt: skip
    return known.get(name.lower())


def _in(column: str, values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return f'{column} == "{values[0]}"'
    listed = ", ".join('"' + value + '"' for value in values)
    return f"{column} in ({listed})"
