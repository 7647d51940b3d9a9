-- name: insert_questionnaire
insert into questionnaires (
    tenant_id, id, key, title, description, source, licence_note, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- name: find_questionnaire
select q.id, q.key, q.title, q.description, q.source, q.licence_note, latest.number as latest_number,
    latest.id as latest_version_id, latest.question_count, latest.weight_total, latest.published_at,
    exists (
        select from questionnaire_versions as d
        where d.tenant_id = q.tenant_id and d.questionnaire_id = q.id and d.state = 'draft'
    ) as has_draft,
    q.retired_at, q.created_at, q.updated_at, q.version
from questionnaires as q
left join lateral (
    select v.number, v.id, v.question_count, v.weight_total, v.published_at
    from questionnaire_versions as v
    where v.tenant_id = q.tenant_id and v.questionnaire_id = q.id and v.state = 'published'
    order by v.number desc
    limit 1
) as latest on true
where q.tenant_id = $1 and q.id = $2;

-- name: lock_questionnaire
-- The lock of a questionnaire covers its draft: whoever saves, discards or publishes takes it first.
select id from questionnaires where tenant_id = $1 and id = $2 for update;

-- name: list_questionnaires
select q.id, q.key, q.title, q.description, q.source, q.licence_note, latest.number as latest_number,
    latest.id as latest_version_id, latest.question_count, latest.weight_total, latest.published_at,
    exists (
        select from questionnaire_versions as d
        where d.tenant_id = q.tenant_id and d.questionnaire_id = q.id and d.state = 'draft'
    ) as has_draft,
    q.retired_at, q.created_at, q.updated_at, q.version
from questionnaires as q
left join lateral (
    select v.number, v.id, v.question_count, v.weight_total, v.published_at
    from questionnaire_versions as v
    where v.tenant_id = q.tenant_id and v.questionnaire_id = q.id and v.state = 'published'
    order by v.number desc
    limit 1
) as latest on true
where q.tenant_id = $1 /*where*/
/*order*/;

-- name: holder_of_questionnaire_key
select id, title as name, null::text as value from questionnaires where tenant_id = $1 and key = $2;

-- name: update_questionnaire
update questionnaires
set title = $3, description = $4, licence_note = $5, retired_at = $6, updated_at = $7, version = version + 1
where tenant_id = $1 and id = $2;

-- name: list_questionnaire_versions
select v.id, v.questionnaire_id, v.number, encode(v.content_sha256, 'hex') as content_sha256, v.method,
    v.question_count, v.weight_total, v.change_note, v.published_at, v.published_by_id, v.published_by_label,
    v.created_at, v.updated_at
from questionnaire_versions as v
where v.tenant_id = $1 and v.state = 'published' /*where*/
/*order*/;

-- name: find_questionnaire_version
select id, questionnaire_id, number, encode(content_sha256, 'hex') as content_sha256, method, question_count,
    weight_total, change_note, published_at, published_by_id, published_by_label, created_at, updated_at
from questionnaire_versions
where tenant_id = $1 and questionnaire_id = $2 and number = $3 and state = 'published';

-- name: find_version_content
select content from questionnaire_versions
where tenant_id = $1 and questionnaire_id = $2 and number = $3 and state = 'published';

-- name: find_draft
select id, questionnaire_id, number, encode(content_sha256, 'hex') as content_sha256, question_count, weight_total,
    created_at, updated_at, version
from questionnaire_versions
where tenant_id = $1 and questionnaire_id = $2 and state = 'draft';

-- name: find_draft_content
select content from questionnaire_versions
where tenant_id = $1 and questionnaire_id = $2 and state = 'draft';

-- name: insert_draft
insert into questionnaire_versions (
    tenant_id, id, questionnaire_id, number, content, content_sha256, method, question_count, weight_total, created_at,
    updated_at
)
select $1, $2, $3, coalesce(max(number), 0) + 1, $4, decode($5, 'hex'), $6, $7, $8, $9, $9
from questionnaire_versions
where tenant_id = $1 and questionnaire_id = $3
returning id, questionnaire_id, number, encode(content_sha256, 'hex') as content_sha256, question_count, weight_total,
    created_at, updated_at, version;

-- name: update_draft
update questionnaire_versions
set content = $3, content_sha256 = decode($4, 'hex'), method = $5, question_count = $6, weight_total = $7,
    updated_at = $8, version = version + 1
where tenant_id = $1 and id = $2
returning id, questionnaire_id, number, encode(content_sha256, 'hex') as content_sha256, question_count, weight_total,
    created_at, updated_at, version;

-- name: delete_draft
delete from questionnaire_versions where tenant_id = $1 and id = $2;

-- name: insert_questions
-- Before the version is published, because a published one takes no more.
insert into questions (
    tenant_id, version_id, place, key, section, kind, meaning, weight, is_critical, wants_evidence, criteria, same_as
)
select $1, $2, q.place, q.key, q.section, q.kind, q.meaning, q.weight, q.is_critical, q.wants_evidence, q.criteria,
    q.same_as
from jsonb_to_recordset($3) as q (
    place smallint, key text, section text, kind text, meaning integer, weight integer, is_critical boolean,
    wants_evidence boolean, criteria text [], same_as text []
);

-- name: publish_draft
update questionnaire_versions
set state = 'published', asked = $3, change_note = $4, published_at = $5, updated_at = $5, published_by_id = $6,
    published_by_label = $7
where tenant_id = $1 and id = $2
returning id, questionnaire_id, number, encode(content_sha256, 'hex') as content_sha256, method, question_count,
    weight_total, change_note, published_at, published_by_id, published_by_label, created_at, updated_at;

-- name: keys_of_versions
-- Every key that a published version of the questionnaire ever had, with the latest such version.
select q.key, max(v.number) as number
from questionnaire_versions as v
join questions as q on q.tenant_id = v.tenant_id and q.version_id = v.id
where v.tenant_id = $1 and v.questionnaire_id = $2
group by q.key;
