-- What looks at signals lacked: how grave a finding was when it was told, and a limit to what one wrong clock can drop.

alter table signal_findings add column severity text;
comment on column signal_findings.severity is 'how grave its source was said to be; null of one older than the column';
comment on column subprocessor_changes.value_hash is 'the judgement that saw it: the same list seen anew later is another';
