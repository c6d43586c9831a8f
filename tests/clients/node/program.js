// The scenarios of ../expected.txt through one of Node's drivers: mysql2, mariadb.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const readline = require('readline');

const { DB_HOST, DB_PORT, DB_SOCKET, DB_CSV } = process.env;
const BIG = '0123456789abcdef'.repeat(33 * (1 << 20) / 16);
const WORDS = ['one', 'two', 'three'];
const ACCOUNT = { user: 'till', password: 'till', database: 'shop', multipleStatements: true };
const TLS = { ssl: { ca: fs.readFileSync(process.env.DB_CA) } };
const PLACE = { host: DB_HOST, port: Number(DB_PORT) };

// Each driver: connect, text and binary statements (rows as arrays), streaming, the batch.
const mysql2 = {
  ed25519: false,
  async connect(over = {}) {
    return require('mysql2/promise').createConnection({
      ...PLACE, ...ACCOUNT, charset: 'utf8mb4', supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, rowsAsArray: true,
      ...over });
  },
  latin1() { return this.connect({ charset: 'LATIN1_SWEDISH_CI' }); },
  async text(c, sql, args) { return (await c.query(sql, args))[0]; },
  async binary(c, sql, args) { return (await c.execute(sql, args))[0]; },
  async load(c, sql, count) {
    await c.query({ sql, infileStreamFactory: path => fs.createReadStream(path) });
    return this.text(c, count);
  },
  error(e) { return `${e.errno} ${e.sqlState} ${e.sqlMessage || e.message}`; },
  stream(c, sql) { return c.connection.query(sql).stream(); },
  abandon(c) { c.connection.stream.destroy(); }, // its own destroy() only half-closes
  reset(c) { return c.changeUser({ user: 'till', password: 'till', database: 'shop' }); },
  async batch(c, sql, rows) { for (const row of rows) await c.execute(sql, row); },
};

const mariadb = {
  ed25519: true,
  async connect(over = {}) {
    return require('mariadb').createConnection({
      ...PLACE, ...ACCOUNT, charset: 'utf8mb4', dateStrings: true, rowsAsArray: true, pipelining: true,
      decimalAsNumber: false, maxAllowedPacket: 1 << 27, allowPublicKeyRetrieval: true, ...over });
  },
  latin1() { return this.connect({ collation: 'LATIN1_SWEDISH_CI', charset: undefined }); },
  async text(c, sql, args) { return c.query(sql, args); },
  async binary(c, sql, args) { return c.execute(sql, args); },
  async load(_, sql, count) { // not allowed where it pipelines
    const c = await this.connect({ pipelining: false, permitLocalInfile: true });
    await c.query({ sql, infileStreamFactory: path => fs.createReadStream(path) });
    const rows = await this.text(c, count); // who wrote sees it
    await c.end();
    return rows;
  },
  error(e) { return `${e.errno} ${e.sqlState} ${e.sqlMessage}`; },
  stream(c, sql) { return c.queryStream(sql); },
  abandon(c) { c.destroy(); },
  async reset(c) { await c.reset(); },
  async batch(c, sql, rows) { await c.batch(sql, rows); },
};

const driver = { mysql2, mariadb }[process.argv[2]];
const input = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function say(name, text) { fs.writeSync(1, `${name}: ${text}\n`); }

async function cue(name) {
  fs.writeSync(1, `@${name}\n`);
  if ((await input.next()).value !== 'go') throw new Error(`no go for ${name}`);
}

async function value(c, sql, args) { return (await driver.text(c, sql, args))[0][0]; }

async function failing(name, call) {
  try {
    await call();
    say(name, 'no error');
  } catch (e) {
    say(name, driver.error(e));
  }
}

async function login() {
  const as = (user, over = {}) => ({ user, password: user, ...over });
  for (const [name, over] of [['login', {}], ['login by socket', { socketPath: DB_SOCKET }], ['login by TLS', as('safe', TLS)],
    ...(driver.ed25519 ? [['login by ed25519', as('ed')]] : []), ['login by caching_sha2', as('fast')],
    ['password by caching_sha2', as('rsa')], ['password by caching_sha2 and TLS', as('told', TLS)]]) {
    const c = await driver.connect(over);
    say(name, (await driver.text(c, 'SELECT CURRENT_USER(), DATABASE()'))[0].join(' '));
    await c.end();
  }
  await failing('wrong password', () => driver.connect({ password: 'wrong' }));
  await failing('no such database', () => driver.connect({ database: 'nosuch' }));
}

async function types(c) {
  for (const kind of ['text', 'binary']) {
    const [i, u, d, f, s, b, t, n] = (await driver[kind](c, 'SELECT * FROM kinds'))[0];
    say(`types as ${kind}`, [i, u, d, f, s, b.toString('hex'), t, n === null ? 'NULL' : n].join('|'));
  }
}

async function prepared(c) {
  for (const row of [[1, 'a'], [2, null], [3, 'é']]) await driver.binary(c, 'INSERT INTO work VALUES (?, ?)', row);
  const [rows, sum, nulls] = (await driver.text(c, 'SELECT COUNT(*), SUM(id), SUM(v IS NULL) FROM work'))[0];
  say('prepared', `${rows} rows, sum ${sum}, ${nulls} NULL`);
  await driver.text(c, 'DELETE FROM work');
}

async function transactions(c) {
  const count = () => value(c, 'SELECT COUNT(*) FROM work');
  await c.beginTransaction();
  await driver.text(c, "INSERT INTO work VALUES (1, 'x')");
  await c.rollback();
  say('rolled back', await count());
  await c.beginTransaction();
  await driver.text(c, "INSERT INTO work VALUES (1, 'x'), (2, 'y')");
  await c.commit();
  say('committed', await count());
  await c.beginTransaction();
  for (const sql of ['DELETE FROM work WHERE id = 1', 'SAVEPOINT a', 'DELETE FROM work', 'ROLLBACK TO SAVEPOINT a'])
    await driver.text(c, sql);
  await c.commit();
  say('savepoint', await count());
  await driver.text(c, 'DELETE FROM work');
}

async function ownWrites(c) {
  let right = 0;
  for (let i = 0; i < 100; i++) {
    await driver.text(c, 'INSERT INTO work VALUES (?, ?)', [i, `v${i}`]);
    if (await value(c, 'SELECT v FROM work WHERE id = ?', [i]) === `v${i}`) right++;
  }
  say('own writes read', right);
  await driver.text(c, 'DELETE FROM work');
}

const digest = text => `${text.length} ${crypto.createHash('md5').update(text).digest('hex')}`;

async function big(c) {
  for (const kind of ['text', 'binary']) {
    await driver[kind](c, 'INSERT INTO work VALUES (1, ?)', [BIG]);
    const text = (await driver[kind](c, 'SELECT v FROM work WHERE id = 1'))[0][0];
    say(`big row as ${kind}`, digest(text));
    await driver.text(c, 'DELETE FROM work');
  }
}

async function compressed() {
  for (const [name, user, over, size] of [['compressed', 'packed', {}, 12345], ['compressed and by TLS', 'tight', TLS, 12345],
    ['compressed big row', 'packed', {}, 18 << 20]]) {
    const c = await driver.connect({ user, password: user, compress: true, ...over });
    say(name, digest(await value(c, `SELECT '${BIG.slice(0, size)}'`)));
    await c.end();
  }
}

async function load(c) {
  const sql = `LOAD DATA LOCAL INFILE '${DB_CSV}' INTO TABLE loaded FIELDS TERMINATED BY ','`;
  const [rows, sum] = (await driver.load(c, sql, 'SELECT COUNT(*), SUM(id) FROM loaded'))[0];
  say('load data local', `${rows} rows, sum ${sum}`);
}

async function severalResults(c) {
  const first = results => results.map(r => (Array.isArray(r) ? r[0][0] : '-'));
  say('several statements', first(await driver.text(c, 'SELECT 1; SELECT 2; DO 3; SELECT 4')).join('|'));
  const called = (await driver.text(c, 'CALL thrice(5, @b)')).filter(Array.isArray);
  say('call', [...first(called), await value(c, 'SELECT @b')].join('|'));
}

async function charsets(c) {
  const l = await driver.latin1();
  for (const [name, connection, text] of [['utf8mb4', c, 'naïve €😀'], ['latin1', l, 'naïve']])
    say(name, (await driver.text(connection, 'SELECT HEX(?), ?', [text, text]))[0].join(' '));
  await l.end();
}

async function errors(c) {
  await failing('duplicate key', () => driver.text(c, "INSERT INTO t VALUES (1, 'x')"));
  await failing('no such table', () => driver.binary(c, 'SELECT * FROM nosuch'));
  await failing('own words', () => driver.text(c, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'"));
  await driver.reset(c);
  say('after errors', await value(c, 'SELECT 1'));
}

async function batch(c) {
  const rows = Array.from({ length: 1000 }, (_, i) => [i + 1, `v${i + 1}`]);
  await driver.batch(c, 'INSERT INTO work VALUES (?, ?)', rows);
  const [count, sum] = (await driver.text(c, 'SELECT COUNT(*), SUM(id) FROM work'))[0];
  say('batch', `${count} rows, sum ${sum}`);
  await driver.text(c, 'DELETE FROM work');
}

async function stream() {
  let rows = 0, sum = 0;
  const c = await driver.connect();
  for await (const row of driver.stream(c, 'SELECT seq FROM seq_1_to_100000')) {
    rows++;
    sum += Number(row[0]);
  }
  say('stream', `${rows} rows, sum ${sum}`);
  for await (const row of driver.stream(c, "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000")) {
    driver.abandon(c);
    if (row) break;
  }
  const after = await driver.connect();
  say('abandoned stream', await value(after, 'SELECT 7'));
  await after.end();
}

// Another connection ends this one; the way back is a new one.
async function killed() {
  const [c, other] = [await driver.connect(), await driver.connect()];
  c.on('error', () => {});
  await driver.text(other, `KILL ${await value(c, 'SELECT CONNECTION_ID()')}`);
  const lost = await driver.text(c, 'SELECT 1').then(() => 'not lost', () => 'lost');
  const again = await driver.connect();
  say('killed', `${lost}, then ${await value(again, 'SELECT COUNT(*) FROM t')}`);
  await Promise.all([again.end(), other.end()]);
}

// So many reads, the connections in turn, half of them prepared; how many were right.
async function readRound(connections, rounds) {
  let right = 0;
  for (let i = 0; i < rounds; i++) {
    const kind = i % 8 < 4 ? 'binary' : 'text';
    const got = await driver[kind](connections[i % 4], 'SELECT v FROM t WHERE id = ?', [1 + i % 3]);
    if (got.length === 1 && got[0][0] === WORDS[i % 3]) right++;
  }
  return right;
}

async function reads() {
  await cue('balance');
  const connections = [];
  for (let i = 0; i < 4; i++) connections.push(await driver.connect());
  say('reads', await readRound(connections, 200));
  await cue('balanced');
  await cue('lose_replica');
  say('reads while a replica dies', await readRound(connections, 400));
  await cue('replica_back');
  for (const c of connections) await c.end();
}

async function restart(c) {
  c.on('error', () => {}); // the loss is seen by the statement, too
  await cue('restart');
  const lost = await driver.text(c, 'SELECT 1').then(() => 'not lost', () => 'lost');
  say('restarted', `${lost}, then ${await value(await driver.connect(), 'SELECT COUNT(*) FROM t')}`);
}

async function main() {
  await login();
  const c = await driver.connect();
  for (const part of [types, prepared, transactions, ownWrites, big, compressed, load, severalResults, charsets, errors, batch]) await part(c);
  await stream();
  await killed();
  await reads();
  await restart(c);
}

main().then(() => process.exit(0), e => {
  console.error(e);
  process.exit(1);
});
