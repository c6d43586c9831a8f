<?php
declare(strict_types=1);
require __DIR__ . '/scenarios.php';

final class OverMysqli implements Driver
{
    public function connect(array $over = []): mysqli
    {
        $c = mysqli_init();
        $c->options(MYSQLI_OPT_LOCAL_INFILE, 1);
        $socket = $over['socket'] ?? null;
        if (isset($over['ca'])) {
            $c->ssl_set(null, null, $over['ca'], null, null);
        }
        @$c->real_connect($socket ? 'localhost' : getenv('DB_HOST'), $over['user'] ?? 'till', $over['password'] ?? 'till',
            $over['database'] ?? 'shop', (int) getenv('DB_PORT'), $socket,
            (isset($over['ca']) ? MYSQLI_CLIENT_SSL : 0) | (isset($over['packed']) ? MYSQLI_CLIENT_COMPRESS : 0));
        $c->set_charset($over['charset'] ?? 'utf8mb4');
        return $c;
    }

    public function text(object $c, string $sql): array
    {
        $result = $c->query($sql);
        return $result === true ? [] : $result->fetch_all();
    }

    public function binary(object $c, string $sql, array $args): array
    {
        $s = $c->prepare($sql);
        $s->execute($args);
        $result = $s->get_result();
        return $result ? $result->fetch_all() : [];
    }

    public function results(object $c, string $sql): array
    {
        $results = [];
        $c->multi_query($sql);
        do {
            $result = $c->store_result();
            $results[] = $result ? $result->fetch_all() : [];
        } while ($c->next_result());
        return $results;
    }

    public function quote(object $c, string $text): string
    {
        return "'" . $c->real_escape_string($text) . "'";
    }

    public function stream(object $c, string $sql): iterable
    {
        $result = $c->query($sql, MYSQLI_USE_RESULT);
        while ($row = $result->fetch_row()) {
            yield $row;
        }
    }

    public function inTransaction(object $c, array $statements, bool $commit): void
    {
        $c->begin_transaction();
        array_map($c->query(...), $statements);
        $commit ? $c->commit() : $c->rollback();
    }

    public function ping(object $c): void
    {
        $c->ping();
        $c->change_user('till', 'till', 'shop');
        $c->set_charset('utf8mb4');
    }

    public function reason(Exception $e): string
    {
        $state = $e->getSqlState() === 'HY000' ? '?' : $e->getSqlState(); // it does not keep that of a refused login
        return "{$e->getCode()} $state {$e->getMessage()}";
    }
}

(new Scenarios(new OverMysqli()))->run();
