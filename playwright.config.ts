import { bootwrightConfig } from 'bootwright/config'

export default bootwrightConfig()
