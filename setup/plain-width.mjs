import { stripVTControlCharacters } from 'node:util'

// Stands for the package string-width in our packs: to know the width of emoji it prepares tables, each time a program
// starts, for longer than all else that a command does to print its help.
export default function widthOf(text) {
  return stripVTControlCharacters(text).length
}
