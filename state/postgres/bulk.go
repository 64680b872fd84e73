package postgres

// bulk collects rows for one statement, which takes a fraction of the time of one
// for each row. Rows are written in the order of the statements around them.
type bulk struct {
	attempts attemptRows
	outcomes outcomeRows
	statuses statusRows
	links    linkRows
}

// attemptRows are the columns of new attempts.
type attemptRows struct {
	id, revision, run, intended, lane                 []int64
	attempt                                           []int32
	campaign, recipient, person, number, message, ref []string
	arm, variant                                      []string
	digest, body, attributes                          [][]byte
}

const insertAttempts = `INSERT INTO attempts (id, campaign, revision, recipient, person, attempt, run, number, intended, message, digest, body, ref, lane, arm, variant, attributes)
	SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bigint[], $15::text[], $16::text[], $17::bytea[])`

func (r *attemptRows) add(a *attempt, body []byte) {
	r.id, r.campaign, r.revision = append(r.id, a.id), append(r.campaign, clean(a.key.Campaign)), append(r.revision, int64(a.key.Revision))
	r.recipient, r.person = append(r.recipient, clean(a.key.Recipient)), append(r.person, a.person())
	r.attempt, r.run, r.number = append(r.attempt, int32(a.number)), append(r.run, a.run), append(r.number, clean(a.from))
	r.intended, r.message = append(r.intended, a.intended), append(r.message, clean(a.message))
	r.digest, r.body, r.ref = append(r.digest, a.digest[:]), append(r.body, body), append(r.ref, clean(a.ref))
	r.lane = append(r.lane, a.lane)
	r.arm, r.variant, r.attributes = append(r.arm, clean(a.choice.Arm)), append(r.variant, clean(a.choice.Variant)), append(r.attributes, []byte(a.choice.Attributes))
}

// outcomeRows are the columns of new or changed outcomes, each attempt once.
type outcomeRows struct {
	at                              map[int64]int   // index by attempt
	people                          map[string]bool // whom the attempts went to
	id, settled                     []int64
	send                            []int16
	proof, code, title, cause, sent []string
}

const insertOutcomes = `INSERT INTO outcomes (id, send, proof, settled, code, title, cause, sent_id)
	SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
	ON CONFLICT (id) DO UPDATE SET send = excluded.send, proof = excluded.proof, settled = excluded.settled, code = excluded.code, title = excluded.title, cause = excluded.cause, sent_id = excluded.sent_id`

func (r *outcomeRows) add(a *attempt, o *outcome) {
	id := a.id
	if i, ok := r.at[id]; ok {
		r.send[i], r.proof[i], r.settled[i] = int16(o.send), string(o.proof), o.settled
		r.code[i], r.title[i], r.cause[i], r.sent[i] = o.code, o.title, o.cause, o.id
		return
	}
	if r.at == nil {
		r.at, r.people = map[int64]int{}, map[string]bool{}
	}
	r.at[id], r.people[a.person()] = len(r.id), true
	r.id, r.send, r.proof, r.settled = append(r.id, id), append(r.send, int16(o.send)), append(r.proof, string(o.proof)), append(r.settled, o.settled)
	r.code, r.title, r.cause, r.sent = append(r.code, o.code), append(r.title, o.title), append(r.cause, o.cause), append(r.sent, o.id)
}

// statusRows are the columns of what was reported about attempts, each once.
type statusRows struct {
	at                                      map[int64]int // index by attempt
	id, rankAt, failedAt, billedAt, replied []int64
	rank, billedRank                        []int16
	failCode, failTitle                     []string
	billable                                []bool
	category, model, kind                   []string
}

const insertStatuses = `INSERT INTO statuses (id, rank, rank_at, failed_at, fail_code, fail_title, billable, category, model, type, billed_rank, billed_at, replied)
	SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[], $11::smallint[], $12::bigint[], $13::bigint[])
	ON CONFLICT (id) DO UPDATE SET (rank, rank_at, failed_at, fail_code, fail_title, billable, category, model, type, billed_rank, billed_at, replied) =
	(excluded.rank, excluded.rank_at, excluded.failed_at, excluded.fail_code, excluded.fail_title, excluded.billable, excluded.category, excluded.model, excluded.type, excluded.billed_rank, excluded.billed_at, excluded.replied)`

func (r *statusRows) add(id int64, f *fate) {
	i, ok := r.at[id]
	if !ok {
		if r.at == nil {
			r.at = map[int64]int{}
		}
		i = len(r.id)
		r.at[id] = i
		r.id, r.rankAt, r.failedAt, r.billedAt, r.replied = append(r.id, id), append(r.rankAt, 0), append(r.failedAt, 0), append(r.billedAt, 0), append(r.replied, 0)
		r.rank, r.billedRank, r.failCode, r.failTitle = append(r.rank, 0), append(r.billedRank, 0), append(r.failCode, ""), append(r.failTitle, "")
		r.billable, r.category, r.model, r.kind = append(r.billable, false), append(r.category, ""), append(r.model, ""), append(r.kind, "")
	}
	r.rank[i], r.rankAt[i], r.failedAt[i], r.failCode[i], r.failTitle[i] = int16(f.Rank), f.RankAt, f.FailedAt, f.FailCode, f.FailTitle
	r.billable[i], r.category[i], r.model[i], r.kind[i] = f.billed.Billable, f.billed.Category, f.billed.Model, f.billed.Type
	r.billedRank[i], r.billedAt[i], r.replied[i] = int16(f.billed.Rank), f.billed.At, f.replied
}

// put queues what was collected.
func (b *bulk) put(queue *pipeline) {
	if r := &b.attempts; len(r.id) > 0 {
		queue.add(insertAttempts, r.id, r.campaign, r.revision, r.recipient, r.person, r.attempt, r.run, r.number, r.intended, r.message, r.digest, r.body, r.ref, r.lane, r.arm, r.variant, r.attributes)
		b.attempts = attemptRows{}
	}
	if r := &b.links; len(r.token) > 0 {
		queue.add(insertLinks, r.token, r.attempt, r.link)
		b.links = linkRows{}
	}
	if r := &b.outcomes; len(r.id) > 0 {
		queue.add(insertOutcomes, r.id, r.send, r.proof, r.settled, r.code, r.title, r.cause, r.sent)
		b.outcomes = outcomeRows{}
	}
	if r := &b.statuses; len(r.id) > 0 {
		queue.add(insertStatuses, r.id, r.rank, r.rankAt, r.failedAt, r.failCode, r.failTitle, r.billable, r.category, r.model, r.kind, r.billedRank, r.billedAt, r.replied)
		b.statuses = statusRows{}
	}
}
