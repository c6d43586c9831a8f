#!/usr/bin/python3
"""The ETL: each kind of dirt by itself. The files here hold a few rows; test_counts.py has the large ones."""
import datetime
import unittest

from shop import GOOD, ShopTest

D, T = datetime.date, datetime.datetime


class Customers(ShopTest):
    def customers(self, *rows, **kw):
        """Loads the rows as customers.csv (and no orders); {id: row as a dictionary}."""
        self.etl(self.csv(customers=list(rows), orders=[], orderlines=[], **kw))
        names = ('id', 'firstName', 'lastName', 'email', 'address1', 'address2', 'phone', 'birthdate', 'zip')
        return {r[0]: dict(zip(names, r)) for r in self.rows('SELECT %s FROM Customer' % ', '.join(names))}

    def rejects(self):
        return self.rows("SELECT lineNumber, rawRow, reason FROM EtlReject WHERE file = 'customers.csv' ORDER BY lineNumber")

    def test_clean_row(self):
        got = self.customers(GOOD['customers'][0])
        self.assertEqual(got, {1: dict(id=1, firstName='Ann', lastName='Lee', email='ann@example.com', address1='1 Main St', address2=None, phone='555-0100',
                                       birthdate=D(1980, 5, 6), zip='77002')})
        self.assertEqual(self.rows('SELECT * FROM City'), [('77002', 'Houston', 'TX')])
        self.assertEqual(self.sums['customers.csv'], (1, 1, 0, 0))

    def test_zips(self):
        zips = [b'2134', b'501', b'02134-1000', b'2134-1000', b'021341000', b'21341000', b' 021 34 ', b'"02134 "', b'2134.0', b'', b'1', b'00000', b'0213A', b'123456',
                b'02134-10000']
        got = self.customers(*[b'%d,A,B,,,,,,Town,MA,%s' % (i, z) for i, z in enumerate(zips, 1)])
        self.assertEqual({i: c['zip'] for i, c in got.items()}, {1: '02134', 2: '00501', 3: '02134', 4: '02134', 5: '02134', 6: '02134', 7: '02134', 8: '02134',
                                                               9: '02134', 10: None})
        self.assertEqual([(r[0], r[2]) for r in self.rejects()], [(n, 'the ZIP is not one') for n in (12, 13, 14, 15, 16)])

    def test_city_spellings(self):
        spelt = [b'HOUSTON,TX', b'Houston,tx', b'Huston,TX', b'Houston,TX', b'Houston,Texas', b',TX', b'Huston,']
        self.customers(*[b'%d,A,B,,,,,,%s,77002' % (i, s) for i, s in enumerate(spelt, 1)], b'8,A,B,,,,,,first,TX,77005', b'9,A,B,,,,,,second,TX,77005')
        self.assertEqual(self.rows('SELECT * FROM City ORDER BY zip'), [('77002', 'Houston', 'TX'), ('77005', 'first', 'TX')])

    def test_a_duplicate_has_no_second_vote(self):
        self.customers(b'1,A,B,,,,,,Huston,TX,77002', b'1,A,B,,,,,,Huston,TX,77002', b'1,A,B,,,,,,Huston,TX,77002', b'2,A,B,,,,,,Houston,TX,77002',
                       b'3,A,B,,,,,,Houston,TX,77002')
        self.assertEqual(self.one('SELECT city FROM City'), 'Houston')

    def test_zip_whose_city_nobody_tells(self):
        self.customers(b'1,A,B,,,,,,,TX,77002', b'2,A,B,,,,,,Austin,TX,73301', b'3,A,B,,,,,,,,73301')
        self.assertEqual([(r[0], r[2]) for r in self.rejects()], [(2, 'no row tells the city and state of the ZIP')])
        self.assertEqual(self.column('SELECT id FROM Customer'), [2, 3])

    def test_birthdates(self):
        dates = [b'1980-05-06', b'05/06/1980', b'5/6/80', b'3/1/48', b'3/1/24', b'1980-05-06 00:00:00', b'', b'0000-00-00', b'2/29/2000',
                 b'2/29/1900', b'2999-01-01', b'13/01/1980', b'yesterday', b'1980-5-6']
        got = self.customers(*[b'%d,A,B,,,,,%s,,,' % (i, d) for i, d in enumerate(dates, 1)])
        born = D(1980, 5, 6)
        self.assertEqual({i: c['birthdate'] for i, c in got.items()},
                         {1: born, 2: born, 3: born, 4: D(1948, 3, 1), 5: D(2024, 3, 1), 6: born, 7: None, 8: None, 9: D(2000, 2, 29), 14: born})
        self.assertEqual([(r[0], r[2]) for r in self.rejects()],
                         [(11, 'the birthdate is not a date'), (12, 'the birthdate is in the future'), (13, 'the birthdate is not a date'),
                          (14, 'the birthdate is not a date')])

    def test_nobody_is_born_in_the_future(self):
        """Two digits of next year can only be the last century's."""
        year = datetime.datetime.now(datetime.timezone.utc).year + 1
        got = self.customers(b'1,A,B,,,,,%d/%d/%02d,,,' % (12, 31, year % 100))
        self.assertEqual(got[1]['birthdate'], D(year - 100, 12, 31))

    def test_blanks_tabs_and_control_characters(self):
        got = self.customers(b'1,  Mary \t Jo ,Le\x07e\x00,,\t1  Main\tSt  ,\x1f,\xc2\xa0555\xe2\x80\x8b 1,,,,')
        self.assertEqual([got[1][k] for k in ('firstName', 'lastName', 'address1', 'address2', 'phone')], ['Mary Jo', 'Lee', '1 Main St', None, '555 1'])

    def test_quotes(self):
        got = self.customers(b'1,"Ann","O""Neil",,"1 Main St, Apt 2", "x" ,,,,,', b'2,"Bob,Le"e,,5" pipe st,,,,,,', b'3,Al "The" Man,Roe",,,,,,,,',
                             b'"4","Eve","Poe","","","","","","","",""', b'5,""Max"",Poe,,,,,,,,', b'6,"Lee, ""Jr""",Poe,,,,,,,,')
        self.assertEqual([got[1][k] for k in ('firstName', 'lastName', 'address1', 'address2')], ['Ann', 'O"Neil', '1 Main St, Apt 2', 'x'])
        self.assertEqual([(got[i]['firstName'], got[i]['lastName']) for i in (2, 3, 4, 5, 6)],
                         [('Bob', 'Lee'), ('Al The Man', 'Roe'), ('Eve', 'Poe'), ('Max', 'Poe'), ('Lee, "Jr"', 'Poe')])
        self.assertEqual(got[2]['address1'], '5 pipe st')
        self.assertEqual(self.rejects(), [])

    def test_quoted_field_over_two_lines_is_rejected_whole(self):
        self.customers(b'1,Ann,Lee,,"1 Main St', b'Apt 2",,,,,,', b'2,Bob,Lee,,,,,,,,')
        self.assertEqual(self.rejects(), [(2, b'1,Ann,Lee,,"1 Main St', 'a quoted field does not end on its line'),
                                          (3, b'Apt 2",,,,,,', 'a quoted field does not end on its line')])
        self.assertEqual(self.column('SELECT id FROM Customer'), [2])
        self.assertEqual(self.sums['customers.csv'], (3, 1, 0, 2))

    def test_wrongly_encoded_bytes(self):
        got = self.customers('1,Jérôme,Øster,,,,,,,,'.encode(), '2,Jérôme,Øster,,,,,,,,'.encode('latin1'), b'3,\x93Max\x94,\x80,,,,,,,,',
                             'é'.encode('latin1').join([b'4,', ',Jé,,,,,,,,'.encode()]), '5,😀,日本,,,,,,,,'.encode())
        self.assertEqual([(c['firstName'], c['lastName']) for c in got.values()],
                         [('Jérôme', 'Øster'), ('Jérôme', 'Øster'), ('“Max”', '€'), ('é', 'Jé'), ('😀', '日本')])

    def test_bom_and_crlf(self):
        rows = [b'1,Ann,Lee,,,,,,Houston,TX,77002', b'2,Bob,Lee,,,,,,Houston,TX,77002']
        head = b'\xef\xbb\xbfid,first_name,last_name,email,address1,address2,phone,birthdate,city,state,zip\r\n'
        got = self.customers(raw={'customers': head + b'\r\n'.join(rows)})
        self.assertEqual([c['zip'] for c in got.values()], ['77002', '77002'])
        self.assertEqual(self.sums['customers.csv'], (2, 2, 0, 0))

    def test_bom_before_a_first_row_without_header(self):
        got = self.customers(raw={'customers': b'\xef\xbb\xbf1,Ann,Lee,,,,,,,,\n2,Bob,Lee,,,,,,,,\n'})
        self.assertEqual(sorted(got), [1, 2])

    def test_emails(self):
        got = self.customers(b'1,A,B,Ann.LEE@Example.COM,,,,,,,', b'2,A,B, bob @x.org ,,,,,,,', b'3,A,B,none,,,,,,,', b'4,A,B,,,,,,,,')
        self.assertEqual([c['email'] for c in got.values()], ['ann.lee@example.com', 'bob@x.org', None, None])

    def test_duplicates_and_versions(self):
        got = self.customers(b'1,Ann,Old,,,,,,,,', b'2,Bob,Lee,,,,,,,,', b'2,Bob,Lee,,,,,,,,', b'1,Ann,New,,,,,,,,', b'1,Ann,Bad,,,,,2999-01-01,,,')
        self.assertEqual((got[1]['lastName'], got[2]['lastName']), ('New', 'Lee'))
        self.assertEqual(self.sums['customers.csv'], (5, 2, 2, 1))

    def test_ids(self):
        got = self.customers(*[i + b',A,B,,,,,,,,' for i in (b' 7 ', b'"0008"', b'9.0', b'+10', b'-4', b'x', b'', b'0', b'1.5', b'9999999999999999999')])
        self.assertEqual(sorted(got), [7, 8, 9, 10])
        self.assertEqual([(r[0], r[2]) for r in self.rejects()], [(n, 'the id is not a positive whole number') for n in range(6, 12)])

    def test_names(self):
        got = self.customers(b'1,,Lee,,,,,,,,', b'2, ,"",,,,,,,,', b'3,%s,Lee,,,,,,,,' % (b'x' * 101))
        self.assertEqual((got[1]['firstName'], got[1]['lastName']), ('', 'Lee'))
        self.assertEqual([(r[0], r[2]) for r in self.rejects()], [(3, 'there is no name'), (4, 'a text is too long')])

    def test_number_of_fields(self):
        self.customers(b'1,A,B', b'2,A,B,,,,,,,,,,', b'3,A,B,,,,,,,,,x', b'', b' \t', b'4,A,' + b'B' * 70000 + b',,,,,,,,')
        self.assertEqual([(r[0], r[2]) for r in self.rejects()],
                         [(2, 'the number of fields is wrong'), (4, 'the number of fields is wrong'), (5, 'the line is blank'), (6, 'the line is blank'),
                          (7, 'the line is longer than 59999 bytes (its beginning is kept)')])
        self.assertEqual(self.column('SELECT id FROM Customer'), [2])

    def test_reject_keeps_the_bytes(self):
        bad = b'"x"",\xff\x00\t, y ,,,,,,,,'
        self.customers(bad + b'\r')
        self.assertEqual(self.rejects(), [(2, bad, 'the id is not a positive whole number')])


class Products(ShopTest):
    def products(self, *rows):
        self.etl(self.csv(products=list(rows), orderlines=[]))
        return {r[0]: r[1:] for r in self.rows('SELECT id, name, CAST(currentPrice AS CHAR), availableQuantity FROM Product')}

    def rejects(self):
        return self.rows("SELECT lineNumber, reason FROM EtlReject WHERE file = 'products.csv' ORDER BY lineNumber")

    def test_prices(self):
        prices = [b'"$1,299.99"', b'$5', b' 4.5 ', b'"1,299"', b'.5', b'7.', b'$ 3.10', b'0', b'9.995', b'12.00 USD', b'99999999.99']
        got = self.products(*[b'%d,P,%s,1' % (i, p) for i, p in enumerate(prices, 1)])
        self.assertEqual([v[1] for v in got.values()], ['1299.99', '5.00', '4.50', '1299.00', '0.50', '7.00', '3.10', '0.00', '10.00', '12.00', '99999999.99'])

    def test_prices_that_are_none(self):
        prices = [b'-1', b'$-1', b'-$1', b'(5.00)', b'ask', b'', b'1e3', b'1.2.3', b'"12,34"', b'.', b'100000000', b'$']
        self.assertEqual(self.products(*[b'%d,P,%s,1' % (i, p) for i, p in enumerate(prices, 1)]), {})
        no = 'the price is not an amount of money'
        self.assertEqual([r[1] for r in self.rejects()], ['the price is negative'] * 4 + [no] * 6 + ['the price is too large', no])

    def test_quantities(self):
        amounts = [b'5', b'', b'"1,200"', b'7.0', b' 3 ', b'-1', b'many', b'2.5', b'2147483648']
        got = self.products(*[b'%d,P,1,%s' % (i, q) for i, q in enumerate(amounts, 1)])
        self.assertEqual([v[2] for v in got.values()], [5, 0, 1200, 7, 3])
        self.assertEqual([r[1] for r in self.rejects()], ['the quantity is negative', 'the quantity is not a whole number', 'the quantity is not a whole number',
                                                          'the quantity is too large'])

    def test_names(self):
        got = self.products(b'1,"TV 32"", black",1,1', b'2,Caf\xe9  au\tlait,1,1', b'3, ,1,1', b'4,%s,1,1' % (b'n' * 201), b'5,Milk, 1 l,1,1')
        self.assertEqual([v[0] for v in got.values()], ['TV 32", black', 'Café au lait'])
        self.assertEqual(self.rejects(), [(4, 'there is no name'), (5, 'a text is too long'), (6, 'the number of fields is wrong')])

    def test_the_last_good_row_of_an_id_wins(self):
        got = self.products(b'1,Old,1,1', b'1,Old,1,1', b'1,New,2.00,9', b'1,Bad,-2,9')
        self.assertEqual(got, {1: ('New', '2.00', 9)})
        self.assertEqual(self.sums['products.csv'], (4, 1, 2, 1))


class Orders(ShopTest):
    def orders(self, *rows):
        self.etl(self.csv(orders=list(rows), orderlines=[]))
        return {r[0]: r[1:] for r in self.rows('SELECT id, datePlaced, dateShipped, customer_id FROM `Order`')}

    def rejects(self):
        return self.rows("SELECT lineNumber, reason FROM EtlReject WHERE file = 'orders.csv' ORDER BY lineNumber")

    def test_forms_of_dates(self):
        forms = [b'2024-03-01', b'2024-03-01 14:05:00', b'03/01/2024', b'3/1/24 14:05', b'2024-03-01T14:05:00Z', b'"03/01/2024 14:05:09"', b'2024-03-01  14:05', b'3/1/99']
        got = self.orders(*[b'%d,1,%s,' % (i, f) for i, f in enumerate(forms, 1)])
        day, moment = T(2024, 3, 1), T(2024, 3, 1, 14, 5)
        self.assertEqual([v[0] for v in got.values()], [day, moment, day, moment, moment, T(2024, 3, 1, 14, 5, 9), moment, T(1999, 3, 1)])

    def test_not_shipped(self):
        nothing = [b'', b'0000-00-00', b'0000-00-00 00:00:00', b'Cancelled', b' CANCELED ', b'"cancelled"']
        got = self.orders(*[b'%d,1,2024-03-01,%s' % (i, n) for i, n in enumerate(nothing, 1)], b'7,1,2024-03-01')
        self.assertEqual([v[1] for v in got.values()], [None] * 7)

    def test_dates_that_are_none(self):
        bad = [b'2024-02-30,', b'13/1/2024,', b'2024-13-01,', b'soon,', b'2024-03-01 25:00,', b'0000-00-00,', b',', b'Cancelled,', b'2024-03-01,soon', b'2024-03-01,2024-02-28',
               b'0999-01-01,']
        self.assertEqual(self.orders(*[b'%d,1,%s' % (i, f) for i, f in enumerate(bad, 1)]), {})
        no, none = 'the date of the order is not a date', 'there is no date of the order'
        self.assertEqual([r[1] for r in self.rejects()], [no] * 5 + [none] * 3 + ['the date of shipping is not a date', 'shipped before it was placed', no])

    def test_shipped_on_the_day_of_the_order(self):
        got = self.orders(b'1,1,2024-03-01 14:05:00,2024-03-01', b'2,1,2024-03-01 14:05:00,2024-03-01 13:00:00')
        self.assertEqual(got, {1: (T(2024, 3, 1, 14, 5), T(2024, 3, 1, 14, 5), 1)})
        self.assertEqual(self.rejects(), [(3, 'shipped before it was placed')])

    def test_references_and_ids(self):
        got = self.orders(b'1,2,2024-03-01,', b'2,x,2024-03-01,', b'3,-1,2024-03-01,', b'-4,1,2024-03-01,', b' 5 ,"1",2024-03-01,')
        self.assertEqual(list(got), [5])
        no = 'the customer id is not a positive whole number'
        self.assertEqual(self.rejects(), [(2, 'there is no customer 2'), (3, no), (4, no), (5, 'the id is not a positive whole number')])

    def test_duplicates_and_versions(self):
        got = self.orders(b'1,1,2024-03-01,', b'1,1,2024-03-01,', b'1,1,2024-03-01,2024-03-05', b'1,77,2024-03-09,')
        self.assertEqual(got, {1: (T(2024, 3, 1), T(2024, 3, 5), 1)})
        self.assertEqual(self.sums['orders.csv'], (4, 1, 2, 1))


class Orderlines(ShopTest):
    def lines(self, *rows):
        self.etl(self.csv(orderlines=list(rows), orders=GOOD['orders'] + [b'2,1,2024-03-01,']))
        return {r[:2]: r[2] for r in self.rows('SELECT order_id, product_id, quantity FROM Orderline')}

    def rejects(self):
        return self.rows("SELECT lineNumber, reason FROM EtlReject WHERE file = 'orderlines.csv' ORDER BY lineNumber")

    def test_missing_quantity_is_one(self):
        self.assertEqual(self.lines(b'1,1', b'1,2,', b'2,1,""', b'2,2, '), {(1, 1): 1, (1, 2): 1, (2, 1): 1, (2, 2): 1})

    def test_repeated_lines_add_up(self):
        """A line has no id: two equal ones are two of the product."""
        self.assertEqual(self.lines(b'1,1,2', b'1,2,1', b'1,1,2', b'1,1,3', b'1,1'), {(1, 1): 8, (1, 2): 1})
        self.assertEqual(self.sums['orderlines.csv'], (5, 2, 3, 0))

    def test_mended_numbers(self):
        self.assertEqual(self.lines(b' 1 ,"1",2.0', b'01,2,+3', b'2,1,"1,000"', b'2\t,2,5"'), {(1, 1): 2, (1, 2): 3, (2, 1): 1000, (2, 2): 5})

    def test_rejected(self):
        bad = [b'9,1,1', b'1,9,1', b'1,1,-2', b'1,1,two', b'1,1,0', b'1,1,1.5', b',1,1', b'1,x,1', b'1', b'1,1,1,1', b'', b'1,1,1000000', b'-1,1,1']
        self.assertEqual(self.lines(*bad), {})
        order, product = 'the order id is not a positive whole number', 'the product id is not a positive whole number'
        whole, between, fields = 'the quantity is not a whole number', 'the quantity is not between 1 and 999999', 'the number of fields is wrong'
        self.assertEqual([r[1] for r in self.rejects()], ['there is no order 9', 'there is no product 9', 'the quantity is negative', whole, between, whole, order, product,
                                                          fields, fields, 'the line is blank', between, order])
        self.assertEqual(self.sums['orderlines.csv'], (13, 0, 0, 13))

    def test_sum_too_large(self):
        self.assertEqual(self.lines(*[b'1,1,999999'] * 2148, b'1,2,1'), {(1, 2): 1})
        self.assertEqual(self.sums['orderlines.csv'], (2149, 1, 0, 2148))

    def test_rejects_follow_what_they_refer_to(self):
        """A customer that is rejected takes his orders along, and these their lines: each has its own reason."""
        self.etl(self.csv(customers=[b'1,A,B,,,,,2999-01-01,,,']))
        self.assertEqual(self.column('SELECT reason FROM EtlReject ORDER BY file'),
                         ['the birthdate is in the future', 'there is no order 1', 'there is no customer 1'])


class TheWhole(ShopTest):
    def test_a_shop(self):
        self.load(self.csv(eol=b'\r\n'))
        self.assertEqual(self.sums, {'customers.csv': (1, 1, 0, 0), 'products.csv': (2, 2, 0, 0), 'orders.csv': (1, 1, 0, 0), 'orderlines.csv': (1, 1, 0, 0)})
        self.assertEqual(self.column('SELECT availableQuantity FROM Product'), [100, 50], 'orders of the past took stock')
        self.assertEqual(self.column("SHOW TABLES LIKE 'Etl%'"), ['EtlCount', 'EtlReject'])
        self.assertEqual(self.column("SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME LIKE 'etl%'"), [])
        self.assert_materialised()

    def test_empty_files(self):
        self.etl(self.csv(raw=dict.fromkeys(GOOD, b'')))
        self.assertEqual(set(self.sums.values()), {(0, 0, 0, 0)})

    def test_only_one_at_a_time(self):
        self.load(self.csv(), database='busy')
        self.rows("SELECT GET_LOCK('tillway.etl.busy', 0)")
        with self.assertRaisesRegex(AssertionError, 'another run of the ETL is under way'):
            self.load(self.csv(), database='busy')

    def test_ids_go_on_after_the_loaded(self):
        self.load(self.csv())
        self.assertEqual(self.call_order(1, '[{"product_id": 1}]'), 2)


if __name__ == '__main__':
    unittest.main()
