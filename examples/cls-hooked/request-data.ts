import cls from 'cls-hooked'

/** Where this application has always kept what belongs to a request. */
export const requestData = cls.getNamespace('request') ?? cls.createNamespace('request')
