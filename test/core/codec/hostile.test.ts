import { expect } from 'chai'
import { ErrandError } from '#src/errors.js'
import { decodeParsed, decodeValue, needsDecoding } from '#src/core/codec/decode.js'

class Victim {
  readonly id = 1
}

function unreadableFor(text: string): string {
  try {
    decodeValue(text)
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'VALUE_UNREADABLE') return error.message
    throw error
  }
  throw new ErrandError('CALL_INVALID', `it was read: ${text}`)
}

describe('messages made to harm', () => {
  const probes: Record<string, string> = {
    'text that is no JSON': '[1,',
    'no text': '',
    '__proto__ in plain data': '[{"__proto__":{"isAdmin":true}}]',
    '__proto__ spelt with escapes': '[{"\\u005f\\u005fproto\\u005f_":{"isAdmin":true}}]',
    '__proto__ under an escaped object': '{"$":"obj","v":{"$":1,"__proto__":{"isAdmin":true}}}',
    '__proto__ in the fields of an error': '{"$":"error","n":"Error","message":"x","v":{"__proto__":{"isAdmin":true}}}',
    '__proto__ in an object without prototype': '{"$":"bare","v":{"__proto__":{"isAdmin":true}}}',
    '__proto__ beside a tag': '{"$":"undef","__proto__":{}}',
    'an unknown tag': '{"$":"eval","v":"process.exit()"}',
    'a tag whose name is a method of objects': '{"$":"toString","v":1}',
    'a tag whose name is __proto__': '{"$":"__proto__","v":1}',
    'a tag spelt with escapes': '{"\\u0024":"nonsense"}',
    'a tag that is no text': '{"$":1}',
    'a tag that is an object': '{"$":{"$":"undef"}}',
    'a tag with more parts than it has': '{"$":"date","v":"1970-01-01T00:00:00.000Z","w":1}',
    'a tag with a part missing': '{"$":"date"}',
    'a date that is none': '{"$":"date","v":"yesterday"}',
    'a date in another form': '{"$":"date","v":"1970-01-01"}',
    'a date that is a number': '{"$":"date","v":0}',
    'a number that is none': '{"$":"num","v":"0x10"}',
    'a BigInt with letters': '{"$":"big","v":"12n"}',
    'a BigInt without digits': '{"$":"big","v":""}',
    'a BigInt of too many digits': `{"$":"big","v":"${'9'.repeat(4097)}"}`,
    'a map that is no list': '{"$":"map","v":{"length":1e9}}',
    'a map of things that are no pairs': '{"$":"map","v":[[1]]}',
    'a map with a key twice': '{"$":"map","v":[[1,2],[1,3]]}',
    'a set with an item twice': '{"$":"set","v":[1,1]}',
    'a hole outside a list': '{"$":"hole"}',
    'a pattern that is too long': `{"$":"regexp","v":["${'a'.repeat(2001)}",""]}`,
    'a pattern that is none': '{"$":"regexp","v":["(",""]}',
    'a pattern with strange flags': '{"$":"regexp","v":["a","zz"]}',
    'a URL that is none': '{"$":"url","v":"not a url"}',
    'bytes of an unknown kind': '{"$":"bytes","n":"Function","v":""}',
    'bytes that are not base64': '{"$":"bytes","n":"Buffer","v":"a b!"}',
    'bytes that fit no element': '{"$":"bytes","n":"Float64Array","v":"AAAA"}',
    'a boxed object': '{"$":"boxed","v":{}}',
    'an error of a class that is no error': '{"$":"error","n":"Function","message":"x"}',
    'an error without a message': '{"$":"error","n":"Error"}',
    'an error whose fields are a list': '{"$":"error","n":"Error","message":"","v":[1]}',
    'a class nobody registered': '{"$":"class","n":"Victim","v":{}}',
    'a class of the platform': '{"$":"class","n":"Function","v":{}}',
    'a class called __proto__': '{"$":"class","n":"__proto__","v":{}}',
    'a class called constructor': '{"$":"class","n":"constructor","v":{}}',
    'a class without a name': '{"$":"class","n":1,"v":{}}',
    'an error class without an error': '{"$":"class","n":"ErrandError","v":{"code":"x"}}',
    'a reference to nothing': '[{"$":"ref","v":1}]',
    'a reference that comes before its object': '[{"$":"ref","v":1},{"$":"id","n":1,"v":{}}]',
    'a reference that is no number': '[{"$":"id","n":1,"v":{}},{"$":"ref","v":"1"}]',
    'an id twice': '[{"$":"id","n":1,"v":{}},{"$":"id","n":1,"v":{}}]',
    'an id that is no number': '{"$":"id","n":"1","v":{}}',
    'an id in an id': '{"$":"id","n":1,"v":{"$":"id","n":2,"v":{}}}',
    'an id around a reference': '[{"$":"id","n":1,"v":{}},{"$":"id","n":2,"v":{"$":"ref","v":1}}]',
    'an id around itself': '{"$":"id","n":1,"v":{"$":"ref","v":1}}',
    'an id around undefined': '{"$":"id","n":1,"v":{"$":"undef"}}',
    'an escape around what needs none': '{"$":"obj","v":{"a":1}}',
    'an escape around a list': '{"$":"obj","v":[1]}',
    'a list nested too deeply': '['.repeat(202) + ']'.repeat(202),
    'a list nested far too deeply': '['.repeat(200_000) + ']'.repeat(200_000),
    'objects nested too deeply': '{"a":'.repeat(300) + '1' + '}'.repeat(300),
    'tags nested too deeply': '{"$":"set","v":['.repeat(300) + ']}'.repeat(300),
  }
  for (const [title, text] of Object.entries(probes)) {
    it(`${title}: refused, and nothing else happens`, () => {
      const message = unreadableFor(text)

      expect(message).to.match(/^Cannot read a value in a message: .+\. .+\.$/s)
      expect(message.length).to.be.lessThan(400)
      expect({}).to.not.have.property('isAdmin')
    })
  }

  it('a class that is loaded but not registered cannot be asked for by its name', () => {
    expect(new Victim().id).to.equal(1)
    expect(unreadableFor('{"$":"class","n":"Victim","v":{"id":2}}')).to.contain('"Victim" is not registered in this process')
  })

  it('data that looks like a tag is data: the caller cannot forge one', () => {
    expect(decodeValue('{"$":"obj","v":{"$":"class","n":"Victim","v":{}}}')).to.deep.equal({ $: 'class', n: 'Victim', v: {} })
  })

  it('the text of a broken message is not quoted, also not by the cause', () => {
    let caught: unknown
    try {
      decodeValue('["s3cret')
    } catch (error) {
      caught = error
    }

    expect(caught).to.be.instanceOf(ErrandError).and.not.have.property('cause')
    expect((caught as Error).message).to.not.contain('s3cret')
  })

  it('data with fields called constructor and prototype is harmless and kept', () => {
    const text = '[{"constructor":{"prototype":{"isAdmin":true}}},{"$":"undef"}]'

    expect(decodeValue(text)).to.deep.equal([{ constructor: { prototype: { isAdmin: true } } }, undefined])
    expect({}).to.not.have.property('isAdmin')
  })

  it('a text is walked only when it may hold a tag, __proto__, an escape or deep nesting', () => {
    const plain = ['{"a":[1,"x",{"b":null}]}', '"$5"', '[' + '1,'.repeat(1000) + '1]']
    const other = ['{"$":"undef"}', '{"__proto__":1}', '"\\u0024"', '[' + '[],'.repeat(200) + '1]']

    expect(plain.map(needsDecoding)).to.deep.equal([false, false, false])
    expect(other.map(needsDecoding)).to.deep.equal([true, true, true, true])
  })

  it('what was parsed already can be decoded in place', () => {
    const parsed: unknown = JSON.parse('{"args":[{"at":{"$":"date","v":"1970-01-01T00:00:00.000Z"}}]}')

    expect(decodeParsed(parsed)).to.equal(parsed).and.deep.equal({ args: [{ at: new Date(0) }] })
  })
})
