-- Questionnaires: lines of versions. One version may be a draft. A published version is frozen for ever, because
-- assessments point at it.
--
-- Content is kept as the text that was hashed, and the database checks the digest itself.
create table questionnaires (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    key text not null,
    title text not null,
    description text,
    source text not null,
    licence_note text,
    retired_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint questionnaires_key_is_unique unique (tenant_id, key),
    constraint questionnaires_key_is_words_with_separators check (
        key ~ '^[a-z][a-z0-9]*([._-][a-z0-9]+)*$' and char_length(key) <= 64
    ),
    constraint questionnaires_title_has_1_to_200_characters check (char_length(title) between 1 and 200),
    constraint questionnaires_description_has_1_to_4000_characters check (char_length(description) between 1 and 4000),
    constraint questionnaires_licence_note_has_1_to_1000_characters check (
        char_length(licence_note) between 1 and 1000
    ),
    constraint questionnaires_source_is_known check (
        source in ('own', 'baseline', 'mvsp', 'vsaq', 'caiq', 'hecvat', 'sheet')
    )
);
comment on table questionnaires is 'a line of versions under one key; retired ones are sent no more';
comment on column questionnaires.title is 'the name in the tenant''s own lists; respondents see that of the content';
call guard_tenant_table('questionnaires', 'select, insert, update');
create index questionnaires_by_title on questionnaires (tenant_id, title, id);
create index questionnaires_by_age on questionnaires (tenant_id, created_at desc, id desc);

create table questionnaire_versions (
    tenant_id uuid not null,
    id uuid not null,
    questionnaire_id uuid not null,
    number integer not null,
    state text not null default 'draft',
    content text not null,
    content_sha256 bytea not null,
    asked text,
    method text not null,
    question_count integer not null,
    weight_total integer not null,
    change_note text,
    published_at timestamptz,
    published_by_id uuid,
    published_by_label text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint questionnaire_versions_number_is_unique unique (tenant_id, questionnaire_id, number),
    constraint questionnaire_versions_questionnaire_is_known foreign key (tenant_id, questionnaire_id)
        references questionnaires (tenant_id, id),
    constraint questionnaire_versions_number_is_positive check (number >= 1),
    constraint questionnaire_versions_state_is_known check (state in ('draft', 'published')),
    constraint questionnaire_versions_digest_is_that_of_the_content check (
        content_sha256 = sha256(convert_to(content, 'UTF8'))
    ),
    constraint questionnaire_versions_content_has_at_most_4_mb check (octet_length(content) <= 4194304),
    constraint questionnaire_versions_have_0_to_2000_questions check (question_count between 0 and 2000),
    constraint questionnaire_versions_weight_is_0_to_2000000 check (weight_total between 0 and 2000000),
    constraint questionnaire_versions_note_has_1_to_4000_characters check (char_length(change_note) between 1 and 4000),
    constraint questionnaire_versions_published_are_whole check (
        (state = 'draft') = (published_at is null) and (state = 'draft') = (asked is null)
        and (state = 'draft') = (published_by_id is null) and (state = 'draft') = (published_by_label is null)
    )
);
comment on column questionnaire_versions.content is 'canonical JSON, exactly as hashed';
comment on column questionnaire_versions.asked is 'the content as a respondent sees it: no weight, credit, critical mark, condition, internal help or hidden flag';
call guard_tenant_table('questionnaire_versions', 'select, insert, update, delete');
create unique index questionnaire_versions_draft_is_the_only_one on questionnaire_versions (tenant_id, questionnaire_id)
where state = 'draft';

-- No role changes or deletes a published version, the owner of the tables included.
create function refuse_change_of_published_version() returns trigger
language plpgsql
as $$
begin
    if old.state = 'published' then
        raise exception 'a published version is frozen'
            using errcode = 'integrity_constraint_violation',
                constraint = 'questionnaire_versions_published_are_frozen';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end
$$;
create trigger questionnaire_versions_published_are_frozen
before update or delete on questionnaire_versions
for each row execute function refuse_change_of_published_version();

-- The questions of published versions, spread out at publication, for statements across vendors.
create table questions (
    tenant_id uuid not null,
    version_id uuid not null,
    place smallint not null,
    key text not null,
    section text not null,
    kind text not null,
    meaning integer not null,
    weight integer not null,
    is_critical boolean not null,
    wants_evidence boolean not null,
    criteria text[] not null,
    same_as text[] not null,
    primary key (tenant_id, version_id, place),
    constraint questions_key_is_unique unique (tenant_id, version_id, key),
    constraint questions_version_is_known foreign key (tenant_id, version_id)
        references questionnaire_versions (tenant_id, id),
    constraint questions_kind_is_known check (
        kind in ('yes_no', 'single', 'multiple', 'text', 'number', 'date', 'file', 'table')
    ),
    constraint questions_meaning_is_positive check (meaning >= 1),
    constraint questions_weight_is_0_to_1000 check (weight between 0 and 1000),
    constraint questions_place_is_1_to_2000 check (place between 1 and 2000)
);
comment on column questions.criteria is 'trust services criteria that the question is mapped to, such as CC6.1';
comment on column questions.same_as is 'ids of the same question in other questionnaires, such as caiq4:IAM-14.1';
call guard_tenant_table('questions', 'select, insert');
create index questions_by_key on questions (tenant_id, key, version_id);

-- Questions come in while their version is published, and never later.
create function refuse_questions_of_published_version() returns trigger
language plpgsql
as $$
begin
    if exists (
        select from questionnaire_versions as v
        where v.tenant_id = new.tenant_id and v.id = new.version_id and v.state = 'published'
    ) then
        raise exception 'a published version takes no more questions'
            using errcode = 'integrity_constraint_violation', constraint = 'questions_of_published_versions_are_frozen';
    end if;
    return new;
end
$$;
create trigger questions_of_published_versions_are_frozen
before insert on questions
for each row execute function refuse_questions_of_published_version();
