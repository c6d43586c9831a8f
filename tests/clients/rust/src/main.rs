//! The scenarios of ../expected.txt through mysql_async.
use bytes::Bytes;
use futures_util::{stream, StreamExt, TryStreamExt};
use md5::{Digest, Md5};
use mysql_async::prelude::*;
use mysql_async::{Compression, Conn, Error, OptsBuilder, Row, SslOpts, TxOpts, Value};
use std::env::var;
use std::io::{stdin, Write};
use std::path::PathBuf;

type Done<T = ()> = Result<T, Error>;
const WORDS: [&str; 3] = ["one", "two", "three"];

fn options() -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname(var("DB_HOST").unwrap())
        .tcp_port(var("DB_PORT").unwrap().parse().unwrap())
        .user(Some("till"))
        .pass(Some("till"))
        .db_name(Some("shop"))
        .prefer_socket(false)
        .max_allowed_packet(Some(1 << 27))
}

/// One of the accounts whose password is their name.
fn by_name(user: &str) -> OptsBuilder {
    options().user(Some(user)).pass(Some(user))
}

fn tls() -> SslOpts {
    SslOpts::default().with_root_certs(vec![PathBuf::from(var("DB_CA").unwrap()).into()])
}

async fn connect() -> Done<Conn> {
    Conn::new(options()).await
}

fn say(name: &str, text: impl std::fmt::Display) {
    println!("{name}: {text}");
}

fn cue(name: &str) {
    println!("@{name}");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    stdin().read_line(&mut line).unwrap();
    assert_eq!(line, "go\n", "no go for {name}");
}

fn reason(e: &Error) -> String {
    match e {
        Error::Server(e) => format!("{} {} {}", e.code, e.state, e.message),
        other => other.to_string(),
    }
}

fn failing<T>(name: &str, result: Done<T>) {
    match result {
        Ok(_) => say(name, "no error"),
        Err(e) => say(name, reason(&e)),
    }
}

async fn value(c: &mut Conn, sql: &str) -> Done<String> {
    Ok(c.query_first(sql).await?.expect("a row"))
}

async fn counted(c: &mut Conn, table: &str) -> Done<String> {
    value(c, &format!("SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id)) FROM {table}")).await
}

async fn login() -> Done {
    let by_socket = options().prefer_socket(true).socket(var("DB_SOCKET").ok());
    for (name, opts) in [
        ("login", options()),
        ("login by socket", by_socket),
        ("login by TLS", by_name("safe").ssl_opts(tls())),
        ("login by ed25519", by_name("ed")),
        ("login by caching_sha2", by_name("fast")),
        ("password by caching_sha2", by_name("rsa")),
        ("password by caching_sha2 and TLS", by_name("told").ssl_opts(tls())),
    ] {
        let mut c = Conn::new(opts).await?;
        say(name, value(&mut c, "SELECT CONCAT_WS(' ', CURRENT_USER(), DATABASE())").await?);
        c.disconnect().await?;
    }
    failing("wrong password", Conn::new(options().pass(Some("wrong"))).await);
    failing("no such database", Conn::new(options().db_name(Some("nosuch"))).await);
    Ok(())
}

fn cell(at: usize, v: &Value) -> String {
    match v {
        Value::NULL => "NULL".into(),
        Value::Bytes(b) if at == 5 => b.iter().map(|b| format!("{b:02x}")).collect(),
        Value::Bytes(b) => String::from_utf8(b.clone()).unwrap(),
        Value::Int(i) => i.to_string(),
        Value::UInt(u) => u.to_string(),
        Value::Double(d) => d.to_string(),
        Value::Date(y, m, d, h, i, s, u) => format!("{y}-{m:02}-{d:02} {h:02}:{i:02}:{s:02}.{u:06}"),
        other => format!("{other:?}"),
    }
}

fn cells(row: Row) -> String {
    row.unwrap().iter().enumerate().map(|(i, v)| cell(i, v)).collect::<Vec<_>>().join("|")
}

async fn types(c: &mut Conn) -> Done {
    let row: Row = c.query_first("SELECT * FROM kinds").await?.unwrap();
    say("types as text", cells(row));
    let row: Row = c.exec_first("SELECT * FROM kinds", ()).await?.unwrap();
    say("types as binary", cells(row));
    Ok(())
}

async fn prepared(c: &mut Conn) -> Done {
    let s = c.prep("INSERT INTO work VALUES (?, ?)").await?;
    for (id, v) in [(1, Some("a")), (2, None), (3, Some("é"))] {
        c.exec_drop(&s, (id, v)).await?;
    }
    c.close(s).await?;
    let nulls = value(c, "SELECT SUM(v IS NULL) FROM work").await?;
    say("prepared", format!("{}, {nulls} NULL", counted(c, "work").await?));
    c.query_drop("DELETE FROM work").await
}

async fn transactions(c: &mut Conn) -> Done {
    let parts: [(&str, bool, &[&str]); 3] = [
        ("rolled back", false, &["INSERT INTO work VALUES (1, 'x')"]),
        ("committed", true, &["INSERT INTO work VALUES (1, 'x'), (2, 'y')"]),
        ("savepoint", true, &["DELETE FROM work WHERE id = 1", "SAVEPOINT a", "DELETE FROM work", "ROLLBACK TO SAVEPOINT a"]),
    ];
    for (name, commit, statements) in parts {
        let mut t = c.start_transaction(TxOpts::default()).await?;
        for sql in statements {
            t.query_drop(*sql).await?;
        }
        if commit { t.commit().await? } else { t.rollback().await? }
        say(name, value(c, "SELECT COUNT(*) FROM work").await?);
    }
    c.query_drop("DELETE FROM work").await
}

async fn own_writes(c: &mut Conn) -> Done {
    let mut right = 0;
    for i in 0..100 {
        c.exec_drop("INSERT INTO work VALUES (?, ?)", (i, format!("v{i}"))).await?;
        let v: Option<String> = c.exec_first("SELECT v FROM work WHERE id = ?", (i,)).await?;
        right += i32::from(v == Some(format!("v{i}")));
    }
    say("own writes read", right);
    c.query_drop("DELETE FROM work").await
}

fn digest(text: &str) -> String {
    format!("{} {:x}", text.len(), Md5::digest(text.as_bytes()))
}

async fn big(c: &mut Conn) -> Done {
    let big = "0123456789abcdef".repeat(33 * (1 << 20) / 16);
    c.query_drop(format!("INSERT INTO work VALUES (1, '{big}')")).await?;
    c.exec_drop("INSERT INTO work VALUES (2, ?)", (&big,)).await?;
    say("big row as text", digest(&value(c, "SELECT v FROM work WHERE id = 1").await?));
    let text: Option<String> = c.exec_first("SELECT v FROM work WHERE id = ?", (2,)).await?;
    say("big row as binary", digest(&text.unwrap()));
    c.query_drop("DELETE FROM work").await
}

async fn compressed() -> Done {
    let text = "0123456789abcdef".repeat(18 * (1 << 20) / 16);
    for (name, opts, size) in [
        ("compressed", by_name("packed"), 12345),
        ("compressed and by TLS", by_name("tight").ssl_opts(tls()), 12345),
        ("compressed big row", by_name("packed"), text.len()),
    ] {
        let mut c = Conn::new(opts.compression(Compression::default())).await?;
        say(name, digest(&value(&mut c, &format!("SELECT '{}'", &text[..size])).await?));
        c.disconnect().await?;
    }
    Ok(())
}

async fn load(c: &mut Conn) -> Done {
    c.set_infile_handler(async {
        let bytes = std::fs::read(var("DB_CSV").unwrap())?;
        Ok(stream::iter([Ok(Bytes::from(bytes))]).boxed())
    });
    c.query_drop("LOAD DATA LOCAL INFILE 'load.csv' INTO TABLE loaded FIELDS TERMINATED BY ','").await?;
    say("load data local", counted(c, "loaded").await?);
    Ok(())
}

async fn several_results(c: &mut Conn) -> Done {
    let first = |rows: Vec<Row>| rows.into_iter().next().map_or("-".to_string(), cells);
    for (name, sql, keep) in [("several statements", "SELECT 1; SELECT 2; DO 3; SELECT 4", 4), ("call", "CALL thrice(5, @b)", 2)] {
        let mut seen = Vec::new();
        let mut results = c.query_iter(sql).await?;
        while seen.len() < keep {
            seen.push(first(results.collect().await?));
        }
        results.drop_result().await?;
        if keep == 2 {
            seen.push(value(c, "SELECT @b").await?);
        }
        say(name, seen.join("|"));
    }
    Ok(())
}

async fn charsets(c: &mut Conn) -> Done {
    let (hex, text): (String, String) = c.exec_first("SELECT HEX(?), ?", ("naïve €😀", "naïve €😀")).await?.unwrap();
    say("utf8mb4", format!("{hex} {text}"));
    Ok(())
}

async fn errors(c: &mut Conn) -> Done {
    failing("duplicate key", c.query_drop("INSERT INTO t VALUES (1, 'x')").await);
    failing("no such table", c.exec_drop("SELECT * FROM nosuch", ()).await);
    failing("own words", c.query_drop("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'").await);
    c.ping().await?;
    c.reset().await?;
    say("after errors", value(c, "SELECT 1").await?);
    Ok(())
}

async fn batch(c: &mut Conn) -> Done {
    c.exec_batch("INSERT INTO work VALUES (?, ?)", (1..=1000).map(|i| (i, format!("v{i}")))).await?;
    say("batch", counted(c, "work").await?);
    c.query_drop("DELETE FROM work").await
}

/// On a runtime of its own, whose end hangs up: a connection that is only dropped reads its rows to the end first.
fn abandon() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut c = connect().await.unwrap();
        let mut s = c.query_stream::<(u64, String), _>("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000").await.unwrap();
        s.try_next().await.unwrap();
    });
}

async fn streams() -> Done {
    let mut c = connect().await?;
    let (mut rows, mut sum) = (0, 0);
    let mut s = c.query_stream::<u64, _>("SELECT seq FROM seq_1_to_100000").await?;
    while let Some(n) = s.try_next().await? {
        (rows, sum) = (rows + 1, sum + n);
    }
    drop(s);
    say("stream", format!("{rows} rows, sum {sum}"));
    std::thread::spawn(abandon).join().expect("abandon");
    say("abandoned stream", value(&mut connect().await?, "SELECT 7").await?);
    Ok(())
}

/// Another connection ends this one; the way back is a new one.
async fn killed() -> Done {
    let mut c = connect().await?;
    connect().await?.query_drop(format!("KILL {}", value(&mut c, "SELECT CONNECTION_ID()").await?)).await?;
    let lost = if c.query_drop("SELECT 1").await.is_err() { "lost" } else { "not lost" };
    say("killed", format!("{lost}, then {}", value(&mut connect().await?, "SELECT COUNT(*) FROM t").await?));
    Ok(())
}

/// So many reads, the connections in turn, half of them prepared; how many were right.
async fn read_round(connections: &mut [Conn], rounds: usize) -> Done<usize> {
    let mut right = 0;
    for i in 0..rounds {
        let (c, id) = (&mut connections[i % 4], 1 + i % 3);
        let v: Option<String> = if i % 8 < 4 {
            c.exec_first("SELECT v FROM t WHERE id = ?", (id,)).await?
        } else {
            c.query_first(format!("SELECT v FROM t WHERE id = {id}")).await?
        };
        right += usize::from(v.as_deref() == Some(WORDS[i % 3]));
    }
    Ok(right)
}

async fn reads() -> Done {
    cue("balance");
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(connect().await?);
    }
    say("reads", read_round(&mut connections, 200).await?);
    cue("balanced");
    cue("lose_replica");
    say("reads while a replica dies", read_round(&mut connections, 400).await?);
    cue("replica_back");
    Ok(())
}

async fn restart(mut c: Conn) -> Done {
    cue("restart");
    let lost = if c.query_drop("SELECT 1").await.is_err() { "lost" } else { "not lost" };
    say("restarted", format!("{lost}, then {}", value(&mut connect().await?, "SELECT COUNT(*) FROM t").await?));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    login().await?;
    let mut c = connect().await?;
    types(&mut c).await?;
    prepared(&mut c).await?;
    transactions(&mut c).await?;
    own_writes(&mut c).await?;
    big(&mut c).await?;
    compressed().await?;
    load(&mut c).await?;
    several_results(&mut c).await?;
    charsets(&mut c).await?;
    errors(&mut c).await?;
    batch(&mut c).await?;
    streams().await?;
    killed().await?;
    reads().await?;
    restart(c).await
}
