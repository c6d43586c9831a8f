<?php
// The scenarios of ../expected.txt over an adapter of one of PHP's extensions: program_mysqli.php, program_pdo.php.
declare(strict_types=1);

// What an extension must do. Rows are lists; errors are exceptions that reason() can read.
interface Driver
{
    public function connect(array $over = []): object;
    public function text(object $c, string $sql): array;
    public function binary(object $c, string $sql, array $args): array;
    public function results(object $c, string $sql): array;
    public function quote(object $c, string $text): string;
    public function stream(object $c, string $sql): iterable;
    public function inTransaction(object $c, array $statements, bool $commit): void;
    public function ping(object $c): void;
    public function reason(Exception $e): string;
}

function say(string $name, string $text): void
{
    echo "$name: $text\n";
}

function cue(string $name): void
{
    echo "@$name\n";
    if (fgets(STDIN) !== "go\n") {
        exit(1);
    }
}

final class Scenarios
{
    private const WORDS = ['one', 'two', 'three'];

    public function __construct(private Driver $d)
    {
    }

    private function value(object $c, string $sql): string
    {
        return (string) $this->d->text($c, $sql)[0][0];
    }

    private function counted(object $c, string $table): string
    {
        return $this->value($c, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id)) FROM $table");
    }

    private function failing(string $name, callable $call): void
    {
        try {
            $call();
            say($name, 'no error');
        } catch (Exception $e) {
            say($name, $this->d->reason($e));
        }
    }

    // One of the accounts whose password is their name.
    private function as(string $user, bool $secure = false): array
    {
        return ['user' => $user, 'password' => $user] + ($secure ? ['ca' => getenv('DB_CA')] : []);
    }

    private function login(): void
    {
        foreach (['login' => [], 'login by socket' => ['socket' => getenv('DB_SOCKET')],
            'login by TLS' => $this->as('safe', true), 'login by caching_sha2' => $this->as('fast'),
            'password by caching_sha2' => $this->as('rsa'),
            'password by caching_sha2 and TLS' => $this->as('told', true)] as $name => $over) {
            $c = $this->d->connect($over);
            say($name, implode(' ', $this->d->text($c, 'SELECT CURRENT_USER(), DATABASE()')[0]));
        }
        $this->failing('wrong password', fn () => $this->d->connect(['password' => 'wrong']));
        $this->failing('no such database', fn () => $this->d->connect(['database' => 'nosuch']));
    }

    private function types(object $c): void
    {
        $kinds = ['text' => $this->d->text($c, 'SELECT * FROM kinds'), 'binary' => $this->d->binary($c, 'SELECT * FROM kinds', [])];
        foreach ($kinds as $kind => $rows) {
            $row = $rows[0];
            $row[5] = bin2hex($row[5]);
            say("types as $kind", implode('|', array_map(fn ($v) => $v === null ? 'NULL' : (string) $v, $row)));
        }
    }

    private function prepared(object $c): void
    {
        foreach ([[1, 'a'], [2, null], [3, 'é']] as $row) {
            $this->d->binary($c, 'INSERT INTO work VALUES (?, ?)', $row);
        }
        say('prepared', $this->counted($c, 'work') . ', ' . $this->value($c, 'SELECT SUM(v IS NULL) FROM work') . ' NULL');
        $this->d->text($c, 'DELETE FROM work');
    }

    private function transactions(object $c): void
    {
        $parts = [
            ['rolled back', false, ["INSERT INTO work VALUES (1, 'x')"]],
            ['committed', true, ["INSERT INTO work VALUES (1, 'x'), (2, 'y')"]],
            ['savepoint', true, ['DELETE FROM work WHERE id = 1', 'SAVEPOINT a', 'DELETE FROM work', 'ROLLBACK TO SAVEPOINT a']],
        ];
        foreach ($parts as [$name, $commit, $statements]) {
            $this->d->inTransaction($c, $statements, $commit);
            say($name, $this->value($c, 'SELECT COUNT(*) FROM work'));
        }
        $this->d->text($c, 'DELETE FROM work');
    }

    private function ownWrites(object $c): void
    {
        $right = 0;
        for ($i = 0; $i < 100; $i++) {
            $this->d->text($c, "INSERT INTO work VALUES ($i, 'v$i')");
            $right += $this->value($c, "SELECT v FROM work WHERE id = $i") === "v$i" ? 1 : 0;
        }
        say('own writes read', (string) $right);
        $this->d->text($c, 'DELETE FROM work');
    }

    private function big(object $c): void
    {
        $big = str_repeat('0123456789abcdef', 33 * (1 << 20) / 16);
        $this->d->text($c, 'INSERT INTO work VALUES (1, ' . $this->d->quote($c, $big) . ')');
        $this->d->binary($c, 'INSERT INTO work VALUES (?, ?)', [2, $big]);
        $text = $this->d->text($c, 'SELECT v FROM work WHERE id = 1')[0][0];
        say('big row as text', strlen($text) . ' ' . md5($text));
        $text = $this->d->binary($c, 'SELECT v FROM work WHERE id = ?', [2])[0][0];
        say('big row as binary', strlen($text) . ' ' . md5($text));
        $this->d->text($c, 'DELETE FROM work');
    }

    private function compressed(): void
    {
        $text = str_repeat('0123456789abcdef', 18 * (1 << 20) / 16);
        foreach ([['compressed', $this->as('packed'), 12345], ['compressed and by TLS', $this->as('tight', true), 12345],
            ['compressed big row', $this->as('packed'), strlen($text)]] as [$name, $over, $size]) {
            $got = $this->value($this->d->connect($over + ['packed' => true]), "SELECT '" . substr($text, 0, $size) . "'");
            say($name, strlen($got) . ' ' . md5($got));
        }
    }

    private function load(object $c): void
    {
        $this->d->text($c, "LOAD DATA LOCAL INFILE '" . getenv('DB_CSV') . "' INTO TABLE loaded FIELDS TERMINATED BY ','");
        say('load data local', $this->counted($c, 'loaded'));
    }

    private function severalResults(object $c): void
    {
        $first = fn (array $results) => array_map(fn ($rows) => $rows ? $rows[0][0] : '-', $results);
        say('several statements', implode('|', $first($this->d->results($c, 'SELECT 1; SELECT 2; DO 3; SELECT 4'))));
        $called = array_slice($first($this->d->results($c, 'CALL thrice(5, @b)')), 0, 2);
        say('call', implode('|', [...$called, $this->value($c, 'SELECT @b')]));
    }

    private function charsets(object $c): void
    {
        $say = function (string $name, object $c, string $text): string {
            $quoted = $this->d->quote($c, $text);
            return $this->value($c, "SELECT CONCAT_WS(' ', HEX($quoted), $quoted)");
        };
        say('utf8mb4', $say('utf8mb4', $c, 'naïve €😀'));
        $latin = $say('latin1', $this->d->connect(['charset' => 'latin1']), "na\xefve");
        say('latin1', str_replace("\xef", 'ï', $latin));
    }

    private function errors(object $c): void
    {
        $this->failing('duplicate key', fn () => $this->d->text($c, "INSERT INTO t VALUES (1, 'x')"));
        $this->failing('no such table', fn () => $this->d->binary($c, 'SELECT * FROM nosuch', []));
        $this->failing('own words', fn () => $this->d->text($c, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'"));
        $this->d->ping($c);
        say('after errors', $this->value($c, 'SELECT 1'));
    }

    private function batch(object $c): void
    {
        for ($i = 1; $i <= 1000; $i++) {
            $this->d->binary($c, 'INSERT INTO work VALUES (?, ?)', [$i, "v$i"]);
        }
        say('batch', $this->counted($c, 'work'));
        $this->d->text($c, 'DELETE FROM work');
    }

    private function stream(): void
    {
        $c = $this->d->connect();
        $rows = $sum = 0;
        foreach ($this->d->stream($c, 'SELECT seq FROM seq_1_to_100000') as [$n]) {
            $rows++;
            $sum += $n;
        }
        say('stream', "$rows rows, sum $sum");
        foreach ($this->d->stream($c, "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000") as $row) {
            break;
        }
        unset($c);
        say('abandoned stream', $this->value($this->d->connect(), 'SELECT 7'));
    }

    // Another connection ends this one; the way back is a new one.
    private function killed(): void
    {
        $c = $this->d->connect();
        $this->d->text($this->d->connect(), 'KILL ' . $this->value($c, 'SELECT CONNECTION_ID()'));
        try {
            @$this->d->text($c, 'SELECT 1');
            $lost = 'not lost';
        } catch (Exception) {
            $lost = 'lost';
        }
        say('killed', "$lost, then " . $this->value($this->d->connect(), 'SELECT COUNT(*) FROM t'));
    }

    // So many reads, the connections in turn, half of them prepared; how many were right.
    private function readRound(array $connections, int $rounds): string
    {
        $right = 0;
        for ($i = 0; $i < $rounds; $i++) {
            [$c, $id] = [$connections[$i % 4], 1 + $i % 3];
            $rows = $i % 8 < 4 ? $this->d->binary($c, 'SELECT v FROM t WHERE id = ?', [$id])
                : $this->d->text($c, "SELECT v FROM t WHERE id = $id");
            $right += $rows === [[self::WORDS[$i % 3]]] ? 1 : 0;
        }
        return (string) $right;
    }

    private function reads(): void
    {
        cue('balance');
        $connections = array_map(fn () => $this->d->connect(), range(1, 4));
        say('reads', $this->readRound($connections, 200));
        cue('balanced');
        cue('lose_replica');
        say('reads while a replica dies', $this->readRound($connections, 400));
        cue('replica_back');
    }

    private function restart(object $c): void
    {
        cue('restart');
        try {
            @$this->d->text($c, 'SELECT 1');
            $lost = 'not lost';
        } catch (Exception) {
            $lost = 'lost';
        }
        say('restarted', "$lost, then " . $this->value($this->d->connect(), 'SELECT COUNT(*) FROM t'));
    }

    public function run(): void
    {
        $this->login();
        $c = $this->d->connect();
        foreach (['types', 'prepared', 'transactions', 'ownWrites', 'big', 'compressed', 'load', 'severalResults', 'charsets', 'errors', 'batch'] as $part) {
            $this->$part($c);
        }
        $this->stream();
        $this->killed();
        $this->reads();
        $this->restart($c);
    }
}
