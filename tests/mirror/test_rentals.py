"""conf/rentals.example.yaml on a small Sakila: after random transactions the documents are what Python makes of plain SELECTs."""

import collections
import decimal
import os
import random
import unittest

from mapped import Mapped, moment, money

from harness import paths, yamlout

EXAMPLE = os.path.join(paths.ROOT, "conf", "rentals.example.yaml")

SCHEMA = """
CREATE DATABASE sakila CHARACTER SET utf8mb4;
CREATE TABLE sakila.country (country_id INT PRIMARY KEY, country VARCHAR(50));
CREATE TABLE sakila.city (city_id INT PRIMARY KEY, city VARCHAR(50), country_id INT, KEY (country_id));
CREATE TABLE sakila.address (address_id INT PRIMARY KEY, address VARCHAR(50), city_id INT, KEY (city_id));
CREATE TABLE sakila.customer (customer_id INT PRIMARY KEY, first_name VARCHAR(45), last_name VARCHAR(45), email VARCHAR(50), active BOOL,
  address_id INT, KEY (address_id));
CREATE TABLE sakila.language (language_id INT PRIMARY KEY, name CHAR(20));
CREATE TABLE sakila.film (film_id INT PRIMARY KEY, title VARCHAR(128), language_id INT, rental_rate DECIMAL(4,2), KEY (language_id));
CREATE TABLE sakila.actor (actor_id INT PRIMARY KEY, first_name VARCHAR(45), last_name VARCHAR(45));
CREATE TABLE sakila.film_actor (actor_id INT, film_id INT, PRIMARY KEY (actor_id, film_id), KEY (film_id));
CREATE TABLE sakila.category (category_id INT PRIMARY KEY, name VARCHAR(25));
CREATE TABLE sakila.film_category (film_id INT, category_id INT, PRIMARY KEY (film_id, category_id), KEY (category_id));
CREATE TABLE sakila.inventory (inventory_id INT PRIMARY KEY, film_id INT, store_id INT, KEY (film_id));
CREATE TABLE sakila.rental (rental_id INT PRIMARY KEY, rental_date DATETIME, inventory_id INT, customer_id INT, return_date DATETIME,
  KEY (inventory_id), KEY (customer_id));
CREATE TABLE sakila.payment (payment_id INT PRIMARY KEY, rental_id INT, amount DECIMAL(5,2), payment_date DATETIME,
  FOREIGN KEY (rental_id) REFERENCES sakila.rental (rental_id) ON DELETE SET NULL ON UPDATE CASCADE);
"""

# Per table: how many keys there are, and the other columns' values.
TABLES = {
    "country": (2, "'c{n}'"),
    "city": (3, "'t{n}', {country}"),
    "address": (4, "'a{n}', {city}"),
    "customer": (5, "'f{n}', 'l{n}', NULL, {bool}, {address}"),
    "language": (3, "'g{n}'"),
    "film": (5, "'m{n}', {language}, {n}.50"),
    "actor": (4, "'x{n}', 'y{m}'"),
    "category": (3, "'k{n}'"),
    "inventory": (8, "{film}, {n}"),
    "rental": (20, "'2026-01-0{m} 10:00:00', {inventory}, {customer}, {back}"),
    "payment": (20, "{rental}, {n}.25, '2026-02-0{m}'"),
}


class Changer:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def key(self, table):
        return self.random.randint(1, TABLES[table][0])

    def values(self, table):
        r = self.random
        keys = {t: self.key(t) for t in TABLES}
        rental = self.random.choice(["NULL", "(SELECT MIN(rental_id) FROM rental WHERE rental_id >= %d)" % keys["rental"]])
        return TABLES[table][1].format(**dict(
            keys, n=r.randint(1, 99), m=r.randint(1, 9), bool=r.randint(0, 1), rental=rental,
            back=r.choice(["NULL", "'2026-01-20 12:00:00'"])))

    def statement(self):
        r = self.random
        table = r.choice(list(TABLES))
        key = self.key(table)
        link = r.choice(["film_actor (actor_id, film_id) VALUES (%d, %d)" % (self.key("actor"), self.key("film")),
                         "film_category (category_id, film_id) VALUES (%d, %d)" % (self.key("category"), self.key("film"))])
        return r.choice([
            "INSERT IGNORE INTO {0} VALUES ({1}, {2})", "INSERT IGNORE INTO {0} VALUES ({1}, {2})",
            "REPLACE INTO {0} VALUES ({1}, {2})", "DELETE FROM {0} WHERE {0}_id = {1}",
            "UPDATE IGNORE {0} SET {0}_id = {3} WHERE {0}_id = {1}", "INSERT IGNORE INTO " + link,
            "DELETE FROM film_actor WHERE film_id = {1}", "DELETE FROM film_category WHERE category_id = {1}",
            "UPDATE rental SET return_date = NOW(), customer_id = {3} % 5 + 1 WHERE inventory_id = {1}",
        ]).format(table, key, self.values(table), self.key(table))

    def transaction(self):
        return ["BEGIN"] + [self.statement() for _ in range(self.random.randint(1, 8))] + \
            self.random.choices(["COMMIT", "ROLLBACK"], [9, 1])


class Tables:
    """All rows, each table by its key."""

    def __init__(self, world):
        for name in list(TABLES):
            setattr(self, name, {r[0]: r for r in world.rows("SELECT * FROM sakila." + name)})
        self.film_actor = world.rows("SELECT film_id, actor_id FROM sakila.film_actor")
        self.film_category = world.rows("SELECT film_id, category_id FROM sakila.film_category")


def column(table, key, n):
    return table[key][n] if key in table else None


def rental(t, row):
    paid = sorted(p for p in t.payment.values() if p[1] == row[0])
    return {"Rental": row[0], "Film": column(t.film, column(t.inventory, row[2], 1), 1), "Since": moment(row[1]), "Back": moment(row[4]),
            "Paid": money(sum((p[2] for p in paid), decimal.Decimal("0.00"))), "Payments": [{"Amount": money(p[2]), "At": moment(p[3])} for p in paid]}


def customers(t):
    made = {}
    for key, first, last, email, active, address in t.customer.values():
        city = column(t.address, address, 2)
        rows = sorted(r for r in t.rental.values() if r[3] == key)
        out = sorted((r for r in rows if r[4] is None), key=lambda r: (r[1], r[0]))[:5]
        made[str(key)] = {
            "_id": key, "Name": "%s %s" % (first, last), "Email": email, "Kind": "active" if active else "left", "Source": "sakila",
            "Address": address in t.address and {"Street": t.address[address][1], "City": column(t.city, city, 1),
                                                 "Country": column(t.country, column(t.city, city, 2), 1)} or None,
            "Rented": len(rows), "Rentals": [rental(t, r) for r in rows], "Out": [{"Rental": r[0], "Since": moment(r[1])} for r in out]}
    return made


def films(t):
    made = {}
    for key, title, language, rate in t.film.values():
        actors = sorted((t.actor[a][2], t.actor[a][1], a) for f, a in t.film_actor if f == key and a in t.actor)
        copies = sorted(i for i in t.inventory.values() if i[1] == key)
        times = collections.Counter(r[3] for r in t.rental.values() for i in copies if r[2] == i[0] and r[3] in t.customer)
        made[str(key)] = {
            "_id": key, "Title": title, "Language": column(t.language, language, 1), "Rate": money(rate), "Copies": len(copies),
            "Actors": [{"Name": "%s %s" % (first, last)} for last, first, _ in actors],
            "Categories": [{"Category": column(t.category, c, 1)} for f, c in sorted(t.film_category) if f == key],
            "Shelf": [{"Copy": i[0], "Store": i[2]} for i in copies],
            "Renters": [{"Customer": c, "Name": "%s %s" % t.customer[c][1:3], "Times": times[c]} for c in sorted(times)]}
    return made


class RentalsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = cls.enterClassContext(Mapped(SCHEMA, yamlout.block(EXAMPLE, "aggregates")))

    def compare(self):
        self.world.wait_applied()
        t = Tables(self.world)
        return (self.world.assert_documents(self, "customers", customers(t)) +
                self.world.assert_documents(self, "films", films(t)))

    def test_10_random_transactions(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print("SEED=%d" % seed)
        changer = Changer(seed)
        compared = 0
        for n in range(10):
            for _ in range(30):
                self.world.run(*changer.transaction(), database="sakila")
            if n == 4:
                self.world.mirror.kill()
                self.world.mirror.start()
            compared += self.compare()
        self.assertGreater(compared, 20)

    def test_20_plan(self):
        self.world.run("REPLACE INTO customer VALUES (1, 'Ann', 'Lee', NULL, 1, NULL)", database="sakila")
        done = self.world.mirror.command("mirror", "plan")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("customers: a document for each row of sakila.customer\n", done.stdout)
        self.assertIn("  sakila.rental as still (", done.stdout)
        self.assertIn("touches the document whose key stands in (customer_id)\n", done.stdout)
        self.assertRegex(done.stdout, r"  sakila.actor \(.*\) in Actors\n.* touches the documents found by\n      SELECT .* = :actor_id\n")
        self.assertRegex(done.stdout, r"  to shard it: sh\.shardCollection\(\"%s\.\w+\", \{_id: \"hashed\"\}\)\n" % self.world.mongo.database)
        self.assertRegex(done.stdout, r"  for example\n    \{ \"_id\" : \d+, \"Name\" : ")


if __name__ == "__main__":
    unittest.main()
